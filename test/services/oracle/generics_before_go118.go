//go:build !go1.18

package main

// genericCases: there are no generic functions before Go 1.18.
var genericCases []testCase
