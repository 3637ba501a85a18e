package main

import (
	"context"
	"math/rand/v2"
	"sync"
)

const (
	poolWorkers = 4
	poolLookups = 32
	tidyLookups = 4
)

// pool is a few goroutines that live as long as the service and work for whichever request comes next.
type pool struct {
	pictures map[uint64]int64
	sizes    map[int64]int64
	jobs     chan job
	workers  sync.WaitGroup
}

// job is work for one request; its span is in ctx.
type job struct {
	ctx  context.Context
	done chan<- int64
}

func newPool() *pool {
	p := &pool{pictures: make(map[uint64]int64), sizes: make(map[int64]int64), jobs: make(chan job, 1024)}
	for i := range 5_000 {
		p.pictures[uint64(i)*7919] = int64(i)
		p.sizes[int64(i)] = int64(i)
	}
	return p
}

func (p *pool) picture(id uint64) int64 { return p.pictures[id] }

func (p *pool) size(n int64) (int64, bool) { size, ok := p.sizes[n]; return size, ok }

var (
	pictureSite = newSite("/pool", "picture", (*pool).picture)
	tidySite    = newSite("/pool", "tidy", (*pool).size)
)

func (s *shop) startPool() {
	for range poolWorkers {
		s.pool.workers.Add(1)
		go func() {
			defer s.pool.workers.Done()
			s.workInPool()
		}()
	}
}

// stopPool waits for the work that has been handed over. No more may come.
func (s *shop) stopPool() {
	close(s.pool.jobs)
	s.pool.workers.Wait()
}

// workInPool does the work of jobs, in a span each, and looks something up outside of all spans between two of them.
func (s *shop) workInPool() {
	for job := range s.pool.jobs {
		sum := int64(0)
		s.tracing.inWorker(job.ctx, "picture", func(ctx context.Context) {
			piece := s.truth.begin(ctx, pictureSite)
			for range poolLookups {
				sum += s.pool.picture(rand.Uint64N(6_000) * 7919)
			}
			piece.end(poolLookups)
		})
		piece := s.truth.begin(context.Background(), tidySite)
		for range tidyLookups {
			size, _ := s.pool.size(rand.Int64N(6_000))
			sum += size
		}
		piece.end(tidyLookups)
		job.done <- sum
	}
}

// hand is the endpoint /pool: hands two jobs over and waits for one of them, so that the other is often done after the
// request.
func (s *shop) hand(ctx context.Context) int64 {
	done := make(chan int64, 2)
	s.pool.jobs <- job{ctx, done}
	s.pool.jobs <- job{ctx, done}
	return <-done
}
