module example.com/allowance

go 1.18
