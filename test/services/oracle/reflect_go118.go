//go:build go1.18

package main

// reflectKnowsStrings: reflect looks string keys up with mapaccess2_faststr.
const reflectKnowsStrings = true
