//go:build go1.27

package main

// oneResultSearchesAsTwo: mapaccess1* only call mapaccess2*, which search.
const oneResultSearchesAsTwo = true
