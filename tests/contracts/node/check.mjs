// Prints what the parser makes of an AsyncAPI document, as one JSON object: its faults, channels and operations.
import { Parser, fromFile } from "@asyncapi/parser";

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
console.log(
  JSON.stringify({
    faults: diagnostics.map(({ severity, code, path, message }) => ({ severity, code, path: path.join("."), message })),
    channels: document?.channels().all().map((each) => [each.id(), each.address()]) ?? [],
    operations: document?.operations().all().map((each) => each.id()) ?? [],
  }),
);
