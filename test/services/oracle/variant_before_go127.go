//go:build !go1.27

package main

// oneResultSearchesAsTwo: mapaccess1* search themselves.
const oneResultSearchesAsTwo = false
