package main

import (
	"context"
	"path/filepath"
	"testing"
)

// BenchmarkPiece is what the truth costs for each piece of work.
func BenchmarkPiece(b *testing.B) {
	log, err := newTruthLog(filepath.Join(b.TempDir(), "truth"), spanOf)
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		p := log.begin(context.Background(), catalogSite)
		p.end(1)
	}
	if err := log.close(); err != nil {
		b.Fatal(err)
	}
}
