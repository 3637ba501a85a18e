//go:build counted

package main

import (
	"fmt"
	_ "unsafe" // for go:linkname
)

// This program can be built with a runtime that counts, in its own lookup functions, the buckets or groups it visits and
// the keys it compares (see the README). Then every truth is compared with what the runtime itself has counted.
const countedRuntime = true

//go:linkname visited runtime.oracleVisited
var visited uint64

//go:linkname compared runtime.oracleCompared
var compared uint64

// forgetRuntimeCounts is called when lookups of this program's own begin.
func forgetRuntimeCounts() { visited, compared = 0, 0 }

// proveByRuntimeCounts compares the truth about a lookup with what the runtime counted in it.
func (s *site) proveByRuntimeCounts(t *truth) {
	if !s.hashIsRandom && (visited != uint64(t.probeLength) || compared != uint64(t.keyComparisons)) {
		panic(fmt.Sprintf("%s:%d: %s: the runtime visited %d and compared %d, memory says %+v",
			s.file, s.line, s.typeName, visited, compared, *t))
	}
	forgetRuntimeCounts()
}
