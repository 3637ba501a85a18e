package main

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// Each function below that looks keys up is a place of its own.

var numbers = func() map[int]int {
	m := make(map[int]int)
	for i := 0; i < 1000; i++ {
		m[i] = i
	}
	return m
}()

//go:noinline
func beforeAll() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func inOuter() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func inInner() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func backInOuter() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func afterAll() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

// nested: a span in a span.
func nested(tracer trace.Tracer) {
	beforeAll()
	said("beforeAll", nil)
	ctx, outer := start(tracer, context.Background())
	inOuter()
	said("inOuter", outer)
	_, inner := start(tracer, ctx)
	inInner()
	said("inInner", inner)
	inner.End()
	backInOuter()
	said("backInOuter", outer)
	outer.End()
	outer.End() // Once more does nothing.
	afterAll()
	said("afterAll", nil)
}

//go:noinline
func inChild() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func inGreatGrandchild() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func inChildOfEnded() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

// descendants: goroutines that goroutines of a span begin, several levels of them, of which only the last looks up; and one
// that was begun in an inner span that has ended by now.
func descendants(tracer trace.Tracer) {
	ctx, span := start(tracer, context.Background())
	defer span.End()
	onNewGoroutine(func() {
		inChild()
		said("inChild", span)
	})
	onNewGoroutine(func() {
		onNewGoroutine(func() {
			onNewGoroutine(func() {
				inGreatGrandchild()
				said("inGreatGrandchild", span)
			})
		})
	})
	_, inner := start(tracer, ctx)
	ended, looked := make(chan struct{}), make(chan struct{})
	go func() {
		<-ended
		inChildOfEnded()
		said("inChildOfEnded", span)
		close(looked)
	}()
	inner.End()
	close(ended)
	<-looked
}

//go:noinline
func afterItsSpan() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

// outliving: a goroutine that goes on when all spans it was begun in have ended.
func outliving(tracer trace.Tracer) {
	_, span := start(tracer, context.Background())
	ended, looked := make(chan struct{}), make(chan struct{})
	go func() {
		<-ended
		afterItsSpan()
		said("afterItsSpan", nil)
		close(looked)
	}()
	span.End()
	close(ended)
	<-looked
}

//go:noinline
func inHandedOver() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func afterHandedOver() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

// endedElsewhere: a span that another goroutine ends.
func endedElsewhere(tracer trace.Tracer) {
	_, span := start(tracer, context.Background())
	onNewGoroutine(func() {
		inHandedOver()
		said("inHandedOver", span)
		span.End()
	})
	afterHandedOver()
	said("afterHandedOver", nil)
}

//go:noinline
func inDeepest() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func halfWayOut() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

// deep: more spans in one another than are passed over at once when they have ended.
func deep(tracer trace.Tracer) {
	const depth = 24
	spans := make([]trace.Span, depth)
	ctx := context.Background()
	for i := range spans {
		ctx, spans[i] = start(tracer, ctx)
	}
	inDeepest()
	said("inDeepest", spans[depth-1])
	for i := depth - 1; i >= depth/2; i-- {
		spans[i].End()
	}
	halfWayOut()
	said("halfWayOut", spans[depth/2-1])
	for i := depth/2 - 1; i >= 0; i-- {
		spans[i].End()
	}
}

//go:noinline
func inUnsampled() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

// notSampled: a span that is recorded and not sampled.
func notSampled(tracer trace.Tracer) {
	_, span := start(tracer, context.Background())
	inUnsampled()
	said("inUnsampled", span)
	span.End()
}

// pool has one worker, which the first request begins: it inherits that request's span.
type pool struct {
	begin  sync.Once
	first  trace.Span // It lasts as long as the pool.
	tracer trace.Tracer
	jobs   chan job
}

type job struct {
	ctx  context.Context
	done chan struct{}
}

func newPool(tracer trace.Tracer) *pool { return &pool{tracer: tracer, jobs: make(chan job)} }

func (p *pool) request(tracer trace.Tracer) {
	p.begin.Do(func() {
		_, p.first = start(tracer, context.Background())
		go p.work()
	})
	ctx, span := start(tracer, context.Background(), trace.WithNewRoot())
	defer span.End()
	one := job{ctx, make(chan struct{})}
	p.jobs <- one
	<-one.done
}

func (p *pool) stop() {
	close(p.jobs)
	p.first.End()
}

//go:noinline
func inJob() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

//go:noinline
func betweenJobs() {
	for i := 0; i < lookups; i++ {
		sink += numbers[i*97]
	}
}

func (p *pool) work() {
	for job := range p.jobs {
		_, span := start(p.tracer, job.ctx)
		inJob()
		said("inJob", span)
		span.End()
		betweenJobs()
		said("betweenJobs", nil)
		close(job.done)
	}
}
