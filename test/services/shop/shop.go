package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// shop is the service behind its servers.
type shop struct {
	tracing tracing
	truth   *truthLog

	catalog   *catalog
	carts     *carts
	checkout  *checkout
	recommend *recommend
	pool      *pool
	exchange  *exchange

	// serving is read-locked by each request, so that the end can wait for them all.
	serving sync.RWMutex
}

func newShop(tracing tracing, truth *truthLog) *shop {
	articles := newCatalog()
	return &shop{
		tracing: tracing, truth: truth,
		catalog: articles, carts: newCarts(articles), checkout: newCheckout(articles),
		recommend: newRecommend(), pool: newPool(), exchange: newExchange(),
	}
}

// routes are the HTTP endpoints. Each answers with a number.
func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	for path, endpoint := range map[string]func(context.Context) int64{
		"/catalog":   s.list,
		"/cart":      s.cart,
		"/checkout":  s.check,
		"/recommend": s.advise,
		"/pool":      s.hand,
	} {
		mux.Handle("GET "+path, s.tracing.handler("GET "+path, http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				s.serving.RLock()
				defer s.serving.RUnlock()
				fmt.Fprintln(w, endpoint(r.Context()))
			})))
	}
	return mux
}

// Price makes the shop the gRPC service's implementation.
func (s *shop) Price(ctx context.Context, sku *wrapperspb.StringValue) (*wrapperspb.Int64Value, error) {
	s.serving.RLock()
	defer s.serving.RUnlock()
	return wrapperspb.Int64(s.quote(ctx, sku.GetValue())), nil
}
