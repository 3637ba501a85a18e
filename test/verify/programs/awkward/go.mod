module awkward

go 1.17
