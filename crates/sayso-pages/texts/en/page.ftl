# What stands on every page.
page-made-with = Consent kept by Sayso
