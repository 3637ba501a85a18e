module steady

go 1.17
