# What stands on every page.
page-made-with = تُحفظ الموافقات بواسطة Sayso
