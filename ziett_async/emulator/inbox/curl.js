// Requests as commands for a shell. The API key is never among them: curl gets it from the
// environment, so that a command can be pasted into a chat.

const JSON_TYPE = { "Content-Type": "application/json" };
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Return a request as a command; the key is a variable of the shell, or one of the page's own. */
function curlOf(method, path, headers, body, apiKey = "$ZIETT_API_KEY") {
  const options = [`-H "X-API-KEY: ${apiKey}"`];
  for (const [name, value] of Object.entries(headers)) options.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (method !== (body ? "POST" : "GET")) options.unshift(`-X ${quoted(method)}`);
  if (/[[\]{}]/.test(path)) options.unshift("--globoff");
  if (body) options.push(`--data-raw ${quoted(body)}`);
  return [`curl ${quoted(location.origin + path)}`, ...options].join(" \\\n  ");
}

/** Whether a request can be made again; after the address, `@host` would send the key elsewhere. */
const canBeCopied = ({ path, body_is_cut: isCut }) => path.startsWith("/") && !isCut;

/** The same request again, under the same idempotency key. */
function requestAsCurl(request) {
  const { idempotency_key: key, body } = request;
  return curlOf(request.method, request.path, {
    ...(key ? { "Idempotency-Key": key } : {}),
    ...(body ? JSON_TYPE : {}),
  }, body);
}

/** A message like this one, sent anew. */
function sendAsCurl(message) {
  const { remitter, channel_type, target_e164, content } = message;
  return curlOf("POST", "/c/v1/messages", JSON_TYPE,
    JSON.stringify({ remitter_id: remitter.id, channel_type, target_e164, content }));
}
