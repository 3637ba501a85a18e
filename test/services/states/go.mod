module states

go 1.23
