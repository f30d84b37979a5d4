# What stands on every page.
page-made-with = सहमति Sayso में सुरक्षित है
