module example.com/wild

go 1.24
