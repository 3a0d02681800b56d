//! Signed images for the tests, and a Modbus client of one node.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use ed25519_dalek::{Signer, SigningKey};
use linli_wire::crc;
use linli_wire::identity::Identity;
use linli_wire::image::{ALIGN, BODY, Header};
use linli_wire::kind;
use linli_wire::log;
use linli_wire::map;
use linli_wire::update::{self, Command, LONGEST_CHUNK, Message, Refusal, State};
use linli_wire::version::Version;
use serialport::SerialPort;
use sha2::{Digest, Sha512};

use crate::emulator::built;

/// Attempts per request: a busy host stops the emulator in the middle of a frame, and the rest arrives as
/// another frame.
const TRIES: usize = 20;

/// Contents of an image header.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// The board, by its number.
    pub board: u16,
    /// Its minor version; the major one is 1.
    pub minor: u8,
    /// Its security version.
    pub security: u16,
}

/// A node at the end of a line.
pub struct Node {
    port: Box<dyn SerialPort>,
    /// Its address.
    pub unit: u8,
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was carried out.
    Done,
    /// It was refused, with this exception.
    Exception(u8),
}

/// Reads the development key, which is in this repository.
pub fn development_key() -> anyhow::Result<SigningKey> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/keys/development.key");
    let text = std::fs::read_to_string(file)?;
    let digits = text.lines().find(|line| !line.starts_with('#')).context("no key")?;
    let mut seed = [0; 32];
    for (at, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16)?;
    }
    Ok(SigningKey::from_bytes(&seed))
}

/// The node that was built for the MPS2, of that version: the same program, and behind it something
/// that differs from version to version, so that a mixture of two is neither.
pub fn node(said: Said) -> anyhow::Result<Vec<u8>> {
    let built = std::fs::read(built("mps2-an385", "node.llfw")?)?;
    let mut body = built[BODY as usize..].to_vec();
    body.extend((0..20_000_u32).map(|at| (at % 253) as u8 ^ said.minor));
    Ok(sign(said, body, &development_key()?))
}

/// A body with a header and a signature.
#[must_use]
pub fn sign(said: Said, mut body: Vec<u8>, key: &SigningKey) -> Vec<u8> {
    body.resize(body.len().next_multiple_of(ALIGN as usize), 0xFF);
    let public = key.verifying_key().to_bytes();
    let mut header = Header {
        board: said.board,
        kinds: kind::ANY,
        security: said.security,
        firmware: Version::new(1, said.minor, 0),
        length: u32::try_from(body.len()).unwrap_or(u32::MAX),
        key: u32::from_be_bytes([public[0], public[1], public[2], public[3]]),
        hash: Sha512::digest(&body).into(),
        signature: [0; 64],
    };
    header.signature = key.sign(&header.signed()).to_bytes();
    let mut image = header.encode().to_vec();
    image.resize(BODY as usize, 0xFF);
    image.extend(body);
    image
}

// === impl Node ===

impl Node {
    /// Opens the line.
    pub fn on(line: &Path, unit: u8) -> anyhow::Result<Self> {
        let port =
            serialport::new(line.to_string_lossy(), 9600).timeout(Duration::from_millis(1500)).open()?;
        Ok(Self { port, unit })
    }

    /// Sends a request, again while no answer comes. Returns the answer.
    ///
    /// # Errors
    /// The node is silent, or the port fails.
    fn ask(&mut self, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut frame = vec![self.unit];
        frame.extend_from_slice(request);
        frame.extend(crc::modbus(&frame).to_le_bytes());
        for _ in 0..TRIES {
            // What came late belongs to nobody.
            self.drain()?;
            self.port.write_all(&frame)?;
            if let Some(answer) = self.answer(request)? {
                return Ok(answer);
            }
        }
        bail!("unit {} is silent", self.unit)
    }

    fn drain(&mut self) -> anyhow::Result<()> {
        let patience = self.port.timeout();
        self.port.set_timeout(Duration::from_millis(20))?;
        let mut rest = [0; 256];
        while matches!(self.port.read(&mut rest), Ok(count) if count > 0) {}
        self.port.set_timeout(patience)?;
        Ok(())
    }

    fn answer(&mut self, request: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        let mut answer = Vec::new();
        loop {
            let length = match answer.get(1) {
                None => 2,
                Some(function) if function & 0x80 != 0 => 5,
                Some(1..=4) => answer.get(2).map_or(3, |count| 5 + usize::from(*count)),
                Some(_) => 8,
            };
            if answer.len() >= length && length > 3 {
                let (body, sum) = answer.split_at(length - 2);
                let is_ours = body[0] == self.unit && body[1] & 0x7F == request[0];
                let is_whole = crc::modbus(body).to_le_bytes() == sum[..2];
                return Ok((is_ours && is_whole).then(|| body[1..].to_vec()));
            }
            let mut byte = [0; 64];
            match self.port.read(&mut byte) {
                Ok(count) => answer.extend_from_slice(&byte[..count]),
                Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads input registers (function 4) or holding registers (function 3).
    pub fn read(&mut self, function: u8, address: u16, count: u16) -> anyhow::Result<Vec<u16>> {
        let (a, c) = (address.to_be_bytes(), count.to_be_bytes());
        let answer = self.ask(&[function, a[0], a[1], c[0], c[1]])?;
        ensure!(answer[0] == function, "exception {} at {address:#06x}", answer[1]);
        Ok(answer[2..].chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    /// Writes holding registers.
    pub fn write(&mut self, address: u16, words: &[u16]) -> anyhow::Result<Answer> {
        let (a, c) = (address.to_be_bytes(), (words.len() as u16).to_be_bytes());
        let mut request = vec![16, a[0], a[1], c[0], c[1], words.len() as u8 * 2];
        request.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        let answer = self.ask(&request)?;
        Ok(if answer[0] == 16 { Answer::Done } else { Answer::Exception(answer[1]) })
    }

    /// Reads its identity block.
    pub fn identity(&mut self) -> anyhow::Result<Identity> {
        let words = self.read(4, 0, linli_wire::identity::WORDS)?;
        Identity::decode(&words).map_err(|why| anyhow::anyhow!("not a node: {why:?}"))
    }

    /// Waits until it answers. Returns its identity.
    pub fn awake(&mut self) -> anyhow::Result<Identity> {
        let mut last = None;
        for _ in 0..4 {
            match self.identity() {
                Ok(identity) => return Ok(identity),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("it was asked")?)
    }

    /// A counter of its health.
    pub fn counter(&mut self, counter: linli_wire::health::Counter) -> anyhow::Result<u32> {
        let words = self.read(4, counter.address(), 2)?;
        Ok(u32::from(words[0]) << 16 | u32::from(words[1]))
    }

    /// The newest entries of its log, at most [`log::WINDOW`] of them, oldest first.
    pub fn logged(&mut self) -> anyhow::Result<Vec<log::Entry>> {
        let head = self.read(4, map::log::HEAD.address, 2)?;
        let newest = u32::from(head[0]) << 16 | u32::from(head[1]);
        let first = (newest + 1).saturating_sub(u32::from(log::WINDOW));
        self.write(map::control::CURSOR.address, &[(first >> 16) as u16, first as u16])?;
        let words = self.read(4, log::WINDOW_BASE, log::WINDOW * log::ENTRY_WORDS)?;
        Ok(words
            .as_chunks::<{ log::ENTRY_WORDS as usize }>()
            .0
            .iter()
            .filter_map(log::Entry::decode)
            .collect())
    }

    /// Reads the state of its update: state, reason of the last refusal, next offset.
    pub fn update(&mut self) -> anyhow::Result<(State, Option<Refusal>, u32)> {
        let words = self.read(4, map::update::STATE.address, 4)?;
        let state = State::from_code(words[0]).context("an unknown state")?;
        Ok((state, Refusal::from_code(words[1]), u32::from(words[2]) << 16 | u32::from(words[3])))
    }

    /// Sends a message to its mailbox.
    pub fn send(&mut self, message: &Message) -> anyhow::Result<Answer> {
        let mut words = [0; update::WORDS];
        let used = message.encode(&mut words);
        self.write(update::BASE, &words[..used])
    }

    /// Sends a message and does not wait for the answer: the power is about to be cut.
    pub fn start_sending(&mut self, message: &Message) -> anyhow::Result<()> {
        let mut words = [0; update::WORDS];
        let used = message.encode(&mut words);
        let (a, c) = (update::BASE.to_be_bytes(), (used as u16).to_be_bytes());
        let mut frame = vec![self.unit, 16, a[0], a[1], c[0], c[1], used as u8 * 2];
        frame.extend(words[..used].iter().flat_map(|word| word.to_be_bytes()));
        frame.extend(crc::modbus(&frame).to_le_bytes());
        Ok(self.port.write_all(&frame)?)
    }

    /// Sends a message. Returns the reason if it was refused.
    pub fn refusal(&mut self, message: &Message) -> anyhow::Result<Option<Refusal>> {
        match self.send(message)? {
            Answer::Done => Ok(None),
            Answer::Exception(_) => Ok(self.update()?.1),
        }
    }

    /// Begins or resumes an update. Returns the next offset once the node receives.
    pub fn begin(&mut self, image: &[u8]) -> anyhow::Result<u32> {
        let header = Header::decode(image).map_err(|why| anyhow::anyhow!("{}", why.as_str()))?;
        if let Some(refusal) = self.refusal(&Message::begin(&header))?
            && refusal != Refusal::Busy
        {
            bail!("refused: {}", refusal.as_str());
        }
        self.wait_for(State::Receiving).map(|(_, _, next)| next)
    }

    /// Waits for a state; passing ones are passed.
    pub fn wait_for(&mut self, wanted: State) -> anyhow::Result<(State, Option<Refusal>, u32)> {
        for _ in 0..200 {
            let now = self.update()?;
            if now.0 == wanted {
                return Ok(now);
            }
            ensure!(matches!(now.0, State::Erasing | State::Verifying), "it is {now:?}");
        }
        bail!("it stays below {wanted:?}")
    }

    /// Sends the chunk at an offset. Returns the offset of the next one.
    pub fn chunk(&mut self, image: &[u8], from: u32) -> anyhow::Result<u32> {
        let session = Header::decode(image).map_err(|why| anyhow::anyhow!("{}", why.as_str()))?.id();
        let end = (from as usize + LONGEST_CHUNK).min(image.len());
        match self.refusal(&Message::chunk(session, from, &image[from as usize..end]))? {
            None => Ok(end as u32),
            // After a power cut in the middle of a word, and after an answer that came so late that it
            // was taken for that of the next chunk, the node says where it goes on.
            Some(Refusal::Torn | Refusal::Ahead | Refusal::Repeated | Refusal::Crc) => Ok(self.update()?.2),
            Some(refusal) => bail!("chunk at {from} refused: {}", refusal.as_str()),
        }
    }

    /// Sends every chunk that the node lacks.
    pub fn download(&mut self, image: &[u8]) -> anyhow::Result<()> {
        let (mut next, mut sent) = (self.begin(image)?, 0);
        while (next as usize) < image.len() {
            // Some go twice on a busy machine; all of them would mean that nothing arrives.
            sent += 1;
            ensure!(
                sent <= 2 * image.len() / LONGEST_CHUNK + 10,
                "{sent} chunks, and only {next} bytes there"
            );
            next = self.chunk(image, next)?;
        }
        Ok(())
    }

    /// Lets the node verify the image. Returns the reason if it refuses it.
    pub fn finish(&mut self, image: &[u8]) -> anyhow::Result<Option<Refusal>> {
        let session = Header::decode(image).map_err(|why| anyhow::anyhow!("{}", why.as_str()))?.id();
        if let Some(refusal) = self.refusal(&Message::order(Command::Finish, session))? {
            return Ok(Some(refusal));
        }
        for _ in 0..200 {
            match self.update()? {
                (State::Verified, ..) => return Ok(None),
                (State::Verifying, ..) => {}
                (_, refusal, _) => return Ok(refusal),
            }
        }
        bail!("it verifies for ever")
    }

    /// Sends a command about an image. Returns the reason if it was refused.
    pub fn order(&mut self, command: Command, image: &[u8]) -> anyhow::Result<Option<Refusal>> {
        let session = Header::decode(image).map_err(|why| anyhow::anyhow!("{}", why.as_str()))?.id();
        self.refusal(&Message::order(command, session))
    }
}
