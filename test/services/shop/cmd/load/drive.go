package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a request may take, and how late the last one may begin.
const patience = 10 * time.Second

// outcome is what one worker saw at one target.
type outcome struct {
	requests, errors int
	latencies        []time.Duration
}

// drive makes requests at an even rate, whatever the service does: each has its time, and how long it took is counted
// from that time on, so that waiting for a slow service shows. Requests that are far too late are not made.
func drive(ctx context.Context, set settings, targets []target) report {
	var next, errors atomic.Int64
	interval := set.duration / time.Duration(set.count)
	begin := time.Now()
	latest := begin.Add(set.duration + patience)
	work := func() []outcome {
		outcomes := make([]outcome, len(targets))
		for {
			turn := next.Add(1) - 1
			due := begin.Add(time.Duration(turn) * interval)
			if turn >= int64(set.count) || !sleepUntil(ctx, due) || time.Now().After(latest) {
				return outcomes
			}
			which := int(turn) % len(targets)
			err := call(ctx, targets[which])
			seen := &outcomes[which]
			seen.requests++
			seen.latencies = append(seen.latencies, time.Since(due))
			if err != nil {
				seen.errors++
				if errors.Add(1) == 1 {
					fmt.Fprintln(os.Stderr, "load: the first error:", err)
				}
			}
		}
	}

	all := make([][]outcome, set.concurrently)
	var workers sync.WaitGroup
	for i := range all {
		workers.Add(1)
		go func() {
			defer workers.Done()
			all[i] = work()
		}()
	}
	workers.Wait()
	return newReport(set, targets, all, time.Since(begin))
}

func call(ctx context.Context, to target) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return to.call(ctx)
}

// sleepUntil says whether the time came before the end of ctx.
func sleepUntil(ctx context.Context, due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
