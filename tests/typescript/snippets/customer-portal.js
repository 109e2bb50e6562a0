// A team manages what it has; one that has bought nothing yet (404) stays where it is.
const stripe = insforge.payments.stripe;
const answer = await stripe.createCustomerPortalSession('test', {
  returnUrl: window.location.origin + '/billing',
  subject: { type: 'team', id: teamId },
});
const nothingYet = answer.error && 'statusCode' in answer.error && answer.error.statusCode === 404;
if (answer.error && !nothingYet) throw answer.error;
const next = answer.data?.customerPortalSession.url;
if (next) window.location.assign(next);
