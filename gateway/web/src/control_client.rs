//! HTTP client for the control socket of a gateway, shared by the command line and the demo.

use std::io;
use std::path::{Path, PathBuf};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The control socket does not exist, nothing listens on it, or it may not be opened.
    #[error("{}: {source}", socket.display())]
    Unreachable {
        /// Where it should be.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Method or path are not valid in HTTP.
    #[error("not a valid HTTP request")]
    InvalidRequest(#[from] hyper::http::Error),
    /// The gateway closed the connection, or did not answer in HTTP.
    #[error("no HTTP answer")]
    NoAnswer(#[from] hyper::Error),
}

/// Path of the control socket of the gateway with that data directory.
pub fn socket(data_dir: &Path) -> PathBuf {
    let runtime = Path::new(super::RUNTIME_DIR).join(super::SOCKET);
    let is_default = Path::new(linli_config::DEFAULT_STORE).parent() == Some(data_dir);
    if is_default && runtime.exists() { runtime } else { data_dir.join(super::SOCKET) }
}

/// Sends one request on a connection of its own and returns the head of the answer; the body is read
/// from it. Must be called within a Tokio runtime, which drives the connection until the answer is
/// dropped.
pub async fn request(
    data_dir: &Path,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> Result<Response<Incoming>, ControlError> {
    let socket = socket(data_dir);
    let mut request = Request::builder().method(method).uri(path).header(HOST, "linli");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body)))?;
    let stream =
        UnixStream::connect(&socket).await.map_err(|source| ControlError::Unreachable { socket, source })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What fails here also fails the request or its body.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender.send_request(request).await?)
}
