// A shop's page with the published SDK: signs in, sells, shows on return what was paid.
import { createClient } from "@insforge/sdk";

const settings = await (await fetch("/settings.json")).json();
const insforge = createClient({ baseUrl: settings.api, anonKey: settings.anonKey });
const { origin, pathname, search } = window.location;
globalThis.insforge = insforge; // for the tests, which let a token run out

const show = (id, text) => {
  document.getElementById(id).textContent = text;
};

const on = (id, act) => {
  document.getElementById(id).addEventListener("click", () => act().catch((error) => show("problem", error.message)));
};

/** The data of `{data, error}`; an error is thrown. */
async function of(answer) {
  const { data, error } = await answer;
  if (error) throw error;
  return data;
}

/** Asks the shop's own server, as whoever is signed in here. */
async function shop(path, options) {
  const headers = insforge.getHttpClient().getHeaders();
  return (await fetch(path, { ...options, headers })).json();
}

async function current() {
  // Without a session there is nothing to renew, and nothing to ask.
  if (!document.cookie.includes("insforge_csrf_token=")) return null;
  return (await insforge.auth.getCurrentUser()).data.user;
}

async function greet() {
  const user = await current();
  show("who", user ? `Signed in as ${user.email}` : "Nobody is signed in");
  show("plan", user ? await plan(user) : "");
  return user;
}

async function plan(user) {
  const { subject } = await insforge.getHttpClient().get(`/api/paygres/test/subjects/user/${user.id}`);
  const granted = subject.access.find((one) => one.granted && one.source === "subscription");
  return granted ? `${granted.productName} until ${granted.until.slice(0, 10)}` : "No plan";
}

async function thank() {
  const asked = new URLSearchParams(search);
  const path = `/api/paygres/test/checkout-sessions/${asked.get("checkout")}`;
  const told = await insforge.getHttpClient().get(path, { params: { wait: "10" } });
  if (!told.settled) return show("order", "Thank you. We are waiting for your bank.");
  if (asked.has("order")) show("order", `Your order is ${(await shop(`/orders/${asked.get("order")}`)).status}`);
  else show("order", "You have subscribed");
}

async function checkout(request) {
  const made = await of(insforge.payments.stripe.createCheckoutSession("test", request));
  window.location.assign(made.checkoutSession.url);
}

const typed = () => ({
  email: document.getElementById("email").value,
  password: document.getElementById("password").value,
});

on("sign-up", () => of(insforge.auth.signUp(typed())).then(greet));
on("sign-in", () => of(insforge.auth.signInWithPassword(typed())).then(greet));
on("sign-out", () => insforge.auth.signOut().then(greet));

on("buy", async () => {
  const order = await shop("/orders", { method: "POST" });
  await checkout({
    mode: "payment",
    lineItems: [{ priceId: settings.price, quantity: 1 }],
    successUrl: `${origin}/thanks?order=${order.id}&checkout={CHECKOUT_SESSION_ID}`,
    cancelUrl: `${origin}/`,
    metadata: { order_id: order.id },
    idempotencyKey: `order:${order.id}`,
  });
});

on("subscribe", async () => {
  const { user } = await of(insforge.auth.getCurrentUser());
  await checkout({
    mode: "subscription",
    subject: { type: "user", id: user.id },
    lineItems: [{ priceId: settings.plan }],
    successUrl: `${origin}/thanks?checkout={CHECKOUT_SESSION_ID}`,
    cancelUrl: `${origin}/`,
    customerEmail: user.email,
  });
});

on("manage", async () => {
  const { user } = await of(insforge.auth.getCurrentUser());
  const subject = { type: "user", id: user.id };
  const made = await of(insforge.payments.stripe.createCustomerPortalSession("test", { subject, returnUrl: origin }));
  window.location.assign(made.customerPortalSession.url);
});

await greet();
if (pathname === "/thanks") await thank();
document.body.dataset.ready = "yes";
