// A booking system's side, in JavaScript with nothing but Node (18 or newer). Read it, and take over what you need.
//
//   node booking_system.mjs publish BOOKING DEVICE CHECK_IN CHECK_OUT
//   node booking_system.mjs change  BOOKING DEVICE CHECK_IN CHECK_OUT
//   node booking_system.mjs cancel  BOOKING
//   node booking_system.mjs status  BOOKING
//   node booking_system.mjs pin     BOOKING
//   node booking_system.mjs listen  PORT      one line of JSON for each new outcome
//
// From the environment: ORACODE_URL (where `web` is), BOOKING_TOKEN, REVEAL_TOKEN (for `pin`), OUTCOME_SECRET (for
// `listen`: the `whsec_…` of OUTCOME_WEBHOOK_URLS).

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const { ORACODE_URL, BOOKING_TOKEN, REVEAL_TOKEN, OUTCOME_SECRET } = process.env;
const TOLERANCE_SECONDS = 300;
const LARGEST_BODY = 1024 * 1024;

// Hands over one booking message. The same `id` again changes nothing, so repeat it where no answer came.
// There is no revision: the order of arrival counts. So send the messages of one booking one after the other, each once
// the one before it is answered. If your system counts revisions, give them: then the highest wins.
const publish = (kind, bookingId, fields = {}) =>
  call("POST", "/bookings", BOOKING_TOKEN, {
    specversion: "1.0",
    id: randomUUID(),
    source: "/pms/example",
    type: `booking.${kind}`,
    data: { booking_id: bookingId, ...fields },
  });

// Asks what became of a booking.
const status = (bookingId) => call("GET", `/bookings/${encodeURIComponent(bookingId)}`, BOOKING_TOKEN);

// Reads the PINs of a booking, for the guest. Show them; store them nowhere.
const pin = (bookingId) =>
  call("POST", `/bookings/${encodeURIComponent(bookingId)}/reveal`, REVEAL_TOKEN, { by: "example" });

// Sends one request. 503 and 429 say in Retry-After when to send it again.
async function call(method, path, token, body) {
  const answer = await fetch(ORACODE_URL + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await answer.text();
  if (!answer.ok) {
    console.error(text);
    throw new Error(`HTTP ${answer.status}`);
  }
  return JSON.parse(text);
}

// Whether the body was signed with the secret, in the last five minutes (Standard Webhooks).
function isSigned(headers, body, secret) {
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const right = createHmac("sha256", key).update(`${headers["webhook-id"]}.${timestamp}.`).update(body).digest();
  return (headers["webhook-signature"] ?? "")
    .split(" ")
    .filter((each) => each.startsWith("v1,"))
    .map((each) => Buffer.from(each.slice(3), "base64"))
    .some((shown) => shown.length === right.length && timingSafeEqual(shown, right));
}

// Receives outcomes. A real system remembers the ids in its database, in the transaction that handles them. It answers
// 2xx only once the outcome is handled: it comes again until then.
const seen = new Set();
const receiver = createServer(async (request, response) => {
  const answer = (code) => response.writeHead(code).end();
  const parts = [];
  let length = 0;
  try {
    for await (const part of request) {
      length += part.length;
      if (length > LARGEST_BODY) return answer(413);
      parts.push(part);
    }
  } catch {
    return; // The sender has gone; it comes again.
  }
  const body = Buffer.concat(parts);
  if (!isSigned(request.headers, body, OUTCOME_SECRET)) return answer(401);
  const outcome = JSON.parse(body);
  if (!seen.has(outcome.id)) {
    seen.add(outcome.id);
    handle(outcome);
  }
  return answer(204);
});

// Does what the outcome asks for. Here: tells. `code` is there with OUTCOME_PIN alone, and isn't printed.
function handle({ id, data: { state, reason, devices } }) {
  const doors = devices.map((each) => ({
    device_id: each.device_id,
    new_pin: each.pin_changed,
    has_pin: Boolean(each.code),
  }));
  console.log(JSON.stringify({ id, state, reason, doors }));
}

const [what, bookingId, deviceId, check_in, check_out] = process.argv.slice(2);
const stay = { device_ids: [deviceId], check_in, check_out };
const commands = {
  publish: () => publish("created", bookingId, stay),
  change: () => publish("updated", bookingId, stay),
  cancel: () => publish("cancelled", bookingId),
  status: () => status(bookingId),
  pin: () => pin(bookingId),
};
if (what === "listen") {
  receiver.listen(Number(bookingId), "127.0.0.1");
} else if (what in commands) {
  try {
    console.log(JSON.stringify(await commands[what]()));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
} else {
  console.error("publish|change BOOKING DEVICE CHECK_IN CHECK_OUT, cancel|status|pin BOOKING, listen PORT");
  process.exitCode = 1;
}
