// What `helm test` runs: lists the models through the Service and, where it is given a model, asks it. Says what came back.
const { SLUICE_URL, MODEL, CLIENT_KEY } = process.env;
const headers = { 'content-type': 'application/json', ...(CLIENT_KEY ? { authorization: `Bearer ${CLIENT_KEY}` } : {}) };

/** A Service takes a moment to know its pods. */
const tries = 15;
const pauseMs = 2000;

async function ask(method, path, body) {
  const signal = AbortSignal.timeout(60_000);
  const answer = await fetch(SLUICE_URL + path, { method, headers, signal, body: body && JSON.stringify(body) });
  const text = await answer.text();
  console.log(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
  for (const name of ['x-request-id', 'x-sluice-route', 'x-sluice-backend', 'x-sluice-attempts', 'x-sluice-error']) {
    if (answer.headers.has(name)) console.log(`  ${name}: ${answer.headers.get(name)}`);
  }
  return answer;
}

async function askPatiently(method, path) {
  for (let left = tries; ; left--) {
    try {
      return await ask(method, path);
    } catch (error) {
      console.log(`${method} ${path}: ${error.cause?.message ?? error.message}`);
      if (left === 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

const listing = await askPatiently('GET', '/v1/models');
if (listing.status !== 200 || !listing.headers.has('x-request-id')) throw new Error('the proxies do not list their models');
if (MODEL) {
  const messages = [{ role: 'user', content: 'Say hello.' }];
  const answer = await ask('POST', '/v1/chat/completions', { model: MODEL, messages });
  if (answer.status !== 200 || !answer.headers.has('x-sluice-backend')) throw new Error(`${MODEL} does not answer`);
}
