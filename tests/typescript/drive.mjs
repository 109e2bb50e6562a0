// Lets Python use the published @insforge/sdk: one line of JSON asks, one answers. node drive.mjs NODE_MODULES
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const packages = process.argv[2];
const load = (file) => import(pathToFileURL(`${packages}/@insforge/sdk/dist/${file}`).href);
const sdk = { ...(await load("index.mjs")), ...(await load("ssr.mjs")) };
const clients = {};

/** What a snippet sees of a browser: it notes where the page would go. */
function browser(origin, told) {
  return { location: { origin, assign: (url) => told.visited.push(url) } };
}

/** The cookies of a request and of its answer, as frameworks hand them out. */
function cookies(told, given) {
  const kept = new Map(Object.entries(given));
  const set = (name, value, options) => {
    const one = typeof name === "object" ? name : { name, value, ...options };
    told.cookies[one.name] = one;
    kept.set(one.name, one.value);
  };
  const get = (name) => (kept.has(name) ? { name, value: kept.get(name) } : undefined);
  return { get, set, delete: (name) => set(name, "", { maxAge: 0 }) };
}

const plain = (error) => ({
  class: error instanceof sdk.InsForgeError ? "InsForgeError" : error.constructor.name,
  ...error,
  message: error.message,
});

const result = (answer) =>
  answer?.error instanceof Error ? { ...answer, error: plain(answer.error) } : (answer ?? null);

const verbs = {
  make: ({ client, how, options }) => {
    clients[client] = sdk[how](options);
  },
  call: async ({ client, path, args }) => {
    const names = path.split(".");
    const last = names.pop();
    const at = names.reduce((found, name) => (name === "http" ? found.getHttpClient() : found[name]), clients[client]);
    return result(await at[last](...args));
  },
  together: ({ calls }) => Promise.all(calls.map(verbs.call)),
  /** Runs a published piece of code with these names in scope; tells what it did to the page and the console. */
  snippet: async ({ client, code, scope, origin }) => {
    const told = { visited: [], logged: [], thrown: null };
    const log = { error: (...words) => told.logged.push(words) };
    const names = { ...scope, insforge: clients[client], window: browser(origin, told), console: log };
    const run = Object.getPrototypeOf(verbs.call).constructor(...Object.keys(names), code);
    try {
      await run(...Object.values(names));
    } catch (error) {
      told.thrown = plain(error);
    }
    return told;
  },
  /** The helpers of @insforge/sdk/ssr; `path` is empty for those that are one function. */
  ssr: async ({ how, given, options, path, args }) => {
    const told = { cookies: {} };
    const made = await sdk[how]({ ...options, cookies: cookies(told, given) });
    const names = path.split(".").filter(Boolean);
    const last = names.pop();
    const at = names.reduce((found, name) => found[name], made);
    return { result: result(last === undefined ? made : await at[last](...args)), ...told };
  },
  /** What a middleware does before a page is rendered. */
  update: async ({ options, given }) => {
    const told = { cookies: {} };
    const kept = cookies(told, given);
    return { ...(await sdk.updateSession({ ...options, requestCookies: kept, responseCookies: kept })), ...told };
  },
  refresh: async ({ options, cookie }) => {
    const request = new Request("https://shop.example.com/api/auth/refresh", { method: "POST", headers: { cookie } });
    const { response, ...rest } = await sdk.refreshAuth({ ...options, request });
    return { ...result(rest), status: response.status, cookies: response.headers.getSetCookie() };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { verb, ...asked } = JSON.parse(line);
  let said;
  try {
    said = { answer: (await verbs[verb](asked)) ?? null };
  } catch (error) {
    said = { thrown: plain(error), stack: error.stack };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
