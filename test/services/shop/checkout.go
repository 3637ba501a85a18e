package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const checkoutLookups = 16

// checkout holds the maps of /checkout, one for each step, so that every step has a source line of its own.
type checkout struct {
	limits   map[uint32]int64
	stock    map[string]int64
	coupons  map[uint64]int64
	rates    map[[2]uint16]int64
	duties   map[int32]int64
	accounts map[string]int64
}

func newCheckout(c *catalog) *checkout {
	maps := &checkout{
		limits: make(map[uint32]int64), stock: make(map[string]int64), coupons: make(map[uint64]int64),
		rates: make(map[[2]uint16]int64), duties: make(map[int32]int64), accounts: make(map[string]int64),
	}
	for i := range 3_000 {
		n := int64(i)
		maps.limits[uint32(i)] = n
		maps.stock[c.asked[2*i]] = n
		maps.coupons[uint64(i)<<20] = n
		maps.rates[[2]uint16{uint16(i / 60), uint16(i % 60)}] = n
		maps.duties[int32(-i)] = n
		maps.accounts[c.asked[3*i]] = n
	}
	return maps
}

func (c *checkout) limit(customer uint32) int64 { return c.limits[customer] }

func (c *checkout) inStock(sku string) bool { _, ok := c.stock[sku]; return ok }

func (c *checkout) coupon(code uint64) int64 { return c.coupons[code] }

func (c *checkout) rate(from, to uint16) int64 { return c.rates[[2]uint16{from, to}] }

func (c *checkout) duty(class int32) (int64, bool) { cents, ok := c.duties[class]; return cents, ok }

func (c *checkout) account(name string) (int64, bool) { n, ok := c.accounts[name]; return n, ok }

var (
	limitSite   = newSite("/checkout", "limit", (*checkout).limit)
	stockSite   = newSite("/checkout", "stock", (*checkout).inStock)
	couponSite  = newSite("/checkout", "coupon", (*checkout).coupon)
	rateSite    = newSite("/checkout", "rate", (*checkout).rate)
	dutySite    = newSite("/checkout", "duty", (*checkout).duty)
	accountSite = newSite("/checkout", "account", (*checkout).account)
)

// check is the endpoint /checkout. Its spans and goroutines:
//
//	request            limit, at the end again
//	  validate         coupon, before and after its child
//	    stock          stock
//	  (goroutine)      rate, in the request's span: no span of its own
//	  duty (goroutine) duty, three times at once, each in a span of its own
//	  pay              account: begun by the request's goroutine, worked in and ended by another
func (s *shop) check(ctx context.Context) int64 {
	sum := atomic.Int64{}
	sum.Add(s.checkLimit(ctx))
	s.tracing.inSpan(ctx, "validate", func(ctx context.Context) {
		sum.Add(s.checkCoupon(ctx))
		s.tracing.inSpan(ctx, "stock", func(ctx context.Context) { sum.Add(s.checkStock(ctx)) })
		sum.Add(s.checkCoupon(ctx))
	})

	group, grouped := errgroup.WithContext(ctx)
	group.Go(func() error {
		sum.Add(s.checkRate(grouped))
		return nil
	})
	for range 3 {
		group.Go(func() error {
			s.tracing.inSpan(grouped, "duty", func(ctx context.Context) { sum.Add(s.checkDuty(ctx)) })
			return nil
		})
	}
	_ = group.Wait() // None of them fails.

	paid := make(chan struct{})
	paying, endPay := s.tracing.start(ctx, "pay")
	go func() {
		defer close(paid)
		sum.Add(s.checkAccount(paying))
		endPay()
	}()
	<-paid
	sum.Add(s.checkLimit(ctx))
	return sum.Load()
}

func (s *shop) checkLimit(ctx context.Context) (sum int64) {
	piece := s.truth.begin(ctx, limitSite)
	defer piece.end(checkoutLookups)
	for range checkoutLookups {
		sum += s.checkout.limit(rand.Uint32N(4_000))
	}
	return sum
}

func (s *shop) checkCoupon(ctx context.Context) (sum int64) {
	piece := s.truth.begin(ctx, couponSite)
	defer piece.end(checkoutLookups)
	for range checkoutLookups {
		sum += s.checkout.coupon(rand.Uint64N(4_000) << 20)
	}
	return sum
}

func (s *shop) checkStock(ctx context.Context) (sum int64) {
	piece := s.truth.begin(ctx, stockSite)
	defer piece.end(checkoutLookups)
	for range checkoutLookups {
		if s.checkout.inStock(s.catalog.sku()) {
			sum++
		}
	}
	return sum
}

func (s *shop) checkRate(ctx context.Context) (sum int64) {
	piece := s.truth.begin(ctx, rateSite)
	defer piece.end(checkoutLookups)
	for range checkoutLookups {
		sum += s.checkout.rate(uint16(rand.IntN(60)), uint16(rand.IntN(60)))
	}
	return sum
}

func (s *shop) checkDuty(ctx context.Context) (sum int64) {
	piece := s.truth.begin(ctx, dutySite)
	defer piece.end(checkoutLookups)
	for range checkoutLookups {
		cents, _ := s.checkout.duty(-rand.Int32N(4_000))
		sum += cents
	}
	return sum
}

func (s *shop) checkAccount(ctx context.Context) (sum int64) {
	piece := s.truth.begin(ctx, accountSite)
	defer piece.end(checkoutLookups)
	for range checkoutLookups {
		n, _ := s.checkout.account(s.catalog.sku())
		sum += n
	}
	return sum
}
