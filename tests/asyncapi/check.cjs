// Prints what AsyncAPI's own parser finds in a document, as one JSON object.
const { Parser, fromFile } = require("@asyncapi/parser");

async function main(path) {
  const { document, diagnostics } = await fromFile(new Parser(), path).parse();
  const found = diagnostics.map(({ severity, code, message, path: at }) => ({ severity, code, message, at: at.join(".") }));
  const payloads = document ? document.allMessages().all().map((one) => [one.name(), one.payload()?.json() ?? null]) : [];
  const channels = document ? document.allChannels().all().map((one) => one.address()) : [];
  const operations = document ? document.allOperations().all().map((one) => [one.id(), one.action()]) : [];
  process.stdout.write(JSON.stringify({ diagnostics: found, channels, operations, payloads: Object.fromEntries(payloads) }));
}

main(process.argv[2]);
