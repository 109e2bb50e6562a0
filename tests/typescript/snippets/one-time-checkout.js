// A one-time purchase of an order; `user` may be null, for a guest.
const stripe = insforge.payments.stripe;
const here = window.location.origin;
const answer = await stripe.createCheckoutSession('test', {
  idempotencyKey: `order:${orderId}`,
  metadata: { order_id: orderId },
  customerEmail: user?.email ?? null,
  mode: 'payment',
  lineItems: [{ priceId: 'price_123', quantity: 1 }],
  successUrl: here + '/checkout/success',
  cancelUrl: here + '/pricing',
});
if (answer.error) {
  console.error('Checkout failed:', answer.error.message);
} else if (answer.data?.checkoutSession.url) {
  window.location.assign(answer.data.checkoutSession.url);
}
