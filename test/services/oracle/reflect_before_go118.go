//go:build !go1.18

package main

// reflectKnowsStrings: reflect looks every key up with mapaccess2.
const reflectKnowsStrings = false
