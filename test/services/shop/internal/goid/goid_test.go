package goid

import (
	"runtime"
	"sync"
	"testing"
)

func TestGet(t *testing.T) {
	if runtime.GOARCH == "amd64" && offset == 0 {
		t.Error("the cheap way was not found")
	}
	var group sync.WaitGroup
	for range 100 {
		group.Add(1)
		go func() {
			defer group.Done()
			if Get() != printed() {
				t.Errorf("%d is printed as %d", Get(), printed())
			}
		}()
	}
	group.Wait()
}

func BenchmarkGet(b *testing.B) {
	for range b.N {
		Get()
	}
}
