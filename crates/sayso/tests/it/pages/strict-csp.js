// The page's own script: under this policy it cannot stand in the page.
// Anything the policy blocks is counted, for the test to look at.
window.violations = [];
document.addEventListener("securitypolicyviolation", function (event) {
  window.violations.push(event.violatedDirective + " " + event.blockedURI);
});

window.insider_object = {
  user: { uuid: "u-1004", phone_number: "+14155550125", gdpr_optin: true, whatsapp_optin: true },
};
