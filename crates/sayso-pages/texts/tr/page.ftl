# What stands on every page.
page-made-with = İzinler Sayso ile saklanır
