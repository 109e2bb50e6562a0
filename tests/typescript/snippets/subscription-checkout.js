// A team takes a monthly plan.
const stripe = insforge.payments.stripe;
const billing = window.location.origin + '/billing';
const answer = await stripe.createCheckoutSession('test', {
  idempotencyKey: `team:${teamId}:pro-monthly`,
  subject: { type: 'team', id: teamId },
  customerEmail: user.email,
  mode: 'subscription',
  lineItems: [{ priceId: 'price_monthly_123', quantity: 1 }],
  successUrl: billing + '/success',
  cancelUrl: billing,
});
if (answer.error) throw answer.error;
const next = answer.data?.checkoutSession.url;
if (next) window.location.assign(next);
