//go:build !counted

package main

// countedRuntime: see counted.go.
const countedRuntime = false

func forgetRuntimeCounts() {}

func (s *site) proveByRuntimeCounts(t *truth) {}
