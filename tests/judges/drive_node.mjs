// Plays a scenario with npm's `stripe`, and answers in JSON what the library made of it; the same as drive_python.py.
// node drive_node.mjs PACKAGES play URL KEY RUN · node drive_node.mjs PACKAGES verify < deliveries.json
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const VERSION = "2026-05-27.dahlia";
const LONGEST_WAIT = 10_000;
const [packages, verb, url, key, run] = process.argv.slice(2);
const load = createRequire(`${packages}/`);
const loaded = load("stripe");
const Stripe = loaded.default ?? loaded;

function client() {
  const { hostname, port } = new URL(url);
  return new Stripe(key, { apiVersion: VERSION, host: hostname, port, protocol: "http", telemetry: false });
}

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const plain = (answer) => JSON.parse(JSON.stringify(answer));
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function dig(value, path) {
  for (const name of path.split(".")) {
    value = value?.[name];
  }
  return value ?? null;
}

class Player {
  constructor() {
    this.stripe = client();
    this.known = {};
  }

  async play(scenario) {
    const given = {};
    for (const chapter of scenario.chapters) {
      given[chapter.name] = [];
      for (const step of chapter.steps) {
        given[chapter.name].push(await this.step(step));
      }
    }
    return given;
  }

  async step(step) {
    let given;
    try {
      if ("pay" in step) return await this.pay(step);
      if ("wait" in step) return await this.wait(step);
      given = "poll" in step ? await this.poll(step) : await this.call(step.do, step);
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError)) return { surprise: `${error}`.slice(0, 300) };
      const { type, code, param, message, decline_code } = error.raw;
      return {
        class: error.type.replace(/^Stripe/, ""),
        status: error.statusCode,
        type: error.rawType ?? type,
        code: code ?? null,
        param: param ?? null,
        message,
        decline_code: decline_code ?? null,
        ...(step.fails ? {} : { surprise: "refused" }),
      };
    }
    if (step.fails) return { surprise: "should have been refused" };
    if ("as" in step) this.known[step.as] = given;
    for (const name of step.leave_out ?? []) delete given[name];
    return given;
  }

  async call(path, step) {
    const names = (step.node ?? path).split(".").map(camel);
    const last = names.pop();
    const resource = names.reduce((found, name) => found[name], this.stripe);
    const method = last === "delete" ? "del" : last;
    const options = "key" in step ? { idempotencyKey: this.filled(step.key) } : {};
    const answer = resource[method](...this.filled(step.on ?? []), this.filled(step.with ?? {}), options);
    if (!("pages" in step)) return plain(await answer);
    const values = [];
    for await (const one of answer) values.push(plain(one)[step.pages]);
    return step.sorted ? values.sort() : values;
  }

  async poll(step) {
    const until = Date.now() + LONGEST_WAIT;
    for (;;) {
      const given = await this.call(step.poll, step);
      if (Object.entries(step.until).every(([path, wanted]) => dig(given, path) === wanted)) return given;
      if (Date.now() > until) throw new Error(`did not come: ${JSON.stringify(step.until)}`);
      await sleep(20);
    }
  }

  async wait(step) {
    const name = "object" in step ? "object" : "invoice";
    const wanted = this.filled(step[name]);
    const until = Date.now() + LONGEST_WAIT;
    for (;;) {
      const events = await this.stripe.events.list({ type: step.wait, limit: 100 });
      for (const event of events.data) {
        if (event.data.object[name === "object" ? "id" : name] === wanted) return plain(event.data.object);
      }
      if (Date.now() > until) throw new Error(`${step.wait} did not come`);
      await sleep(20);
    }
  }

  async pay(step) {
    const session = this.filled(step.pay);
    const { card, iban, authenticate } = step;
    const body = { session, card, iban, authenticate, email: `buyer-${run}@example.com`, name: "Ada" };
    const answer = await fetch(`${url}/_sim/pay`, { method: "POST", body: JSON.stringify(body) });
    const text = await answer.text();
    if (answer.ok === Boolean(step.declined)) throw new Error(`${answer.status} ${text}`);
    return step.declined ? "declined" : "paid";
  }

  filled(value) {
    if (Array.isArray(value)) return value.map((one) => this.filled(one));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.filled(one)]));
    }
    if (typeof value !== "string") return value;
    if (value.startsWith("$") && !value.startsWith("$run")) {
      const [name, ...path] = value.slice(1).split(".");
      if (!(name in this.known)) throw new Error(`nothing is called ${name}`);
      return dig(this.known[name], path.join("."));
    }
    return value.replaceAll("$run", run);
  }
}

function accepts(stripe, payload, signature, secret) {
  try {
    return stripe.webhooks.constructEvent(payload, signature, secret).id === JSON.parse(payload).id;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) return false;
    throw error;
  }
}

function verdicts(deliveries) {
  const stripe = new Stripe("sk_test_unused");
  return deliveries.map(({ payload, signature, secret }) => [
    accepts(stripe, payload, signature, secret),
    accepts(stripe, payload.replace('"livemode":false', '"livemode":true'), signature, secret),
    accepts(stripe, payload, signature, secret.slice(0, -1)),
  ]);
}

const answer =
  verb === "verify"
    ? verdicts(JSON.parse(readFileSync(0, "utf8")))
    : await new Player().play(JSON.parse(readFileSync(new URL("scenario.json", import.meta.url), "utf8")));
process.stdout.write(JSON.stringify({ version: Stripe.PACKAGE_VERSION, answer }));
