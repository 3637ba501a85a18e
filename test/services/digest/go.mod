module digest

go 1.17
