package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"runtime/pprof"

	"google.golang.org/grpc"

	"example.com/shop/internal/traceparent"
)

// labelTracing: no SDK, but pprof labels trace_id and span_id on the goroutines that work for a request.
type labelTracing struct {
	noTracing
	// sample is the share of traces begun here that say they are sampled.
	sample float64
}

// labelled does work under labels that name the span; then the goroutine has the labels of ctx.
func labelled(ctx context.Context, span traceparent.SpanContext, work func(context.Context)) {
	pprof.Do(withSpan(ctx, span), pprof.Labels("trace_id", span.TraceID, "span_id", span.SpanID), work)
}

// orNew is the caller's span, or the root of a new trace when there is none.
func (t labelTracing) orNew(span traceparent.SpanContext) traceparent.SpanContext {
	if span.TraceID == "" {
		return traceparent.New(rand.Float64() < t.sample)
	}
	return span
}

func (t labelTracing) handler(_ string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		labelled(r.Context(), t.orNew(inboundHTTP(r)), func(ctx context.Context) {
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	})
}

func (t labelTracing) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.UnaryInterceptor(func(
		ctx context.Context, request any, _ *grpc.UnaryServerInfo, answer grpc.UnaryHandler,
	) (reply any, err error) {
		labelled(ctx, t.orNew(inboundGRPC(ctx)), func(ctx context.Context) { reply, err = answer(ctx, request) })
		return reply, err
	})}
}

func (labelTracing) inSpan(ctx context.Context, _ string, work func(context.Context)) {
	labelled(ctx, spanOf(ctx).Child(), work)
}

// inWorker takes the labels away at the end: those that pprof.Do leaves are the request's.
func (labelTracing) inWorker(ctx context.Context, _ string, work func(context.Context)) {
	defer pprof.SetGoroutineLabels(context.Background())
	labelled(ctx, spanOf(ctx).Child(), work)
}
