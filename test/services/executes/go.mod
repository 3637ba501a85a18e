module example.com/executes

go 1.17
