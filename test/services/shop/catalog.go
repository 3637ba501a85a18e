package main

import (
	"context"
	"fmt"
	"math/rand/v2"
)

const (
	catalogSize    = 20_000
	catalogLookups = 64
)

// catalog is a healthy map: string keys, of which nine in ten are found.
type catalog struct {
	prices map[string]int64
	asked  []string
}

func newCatalog() *catalog {
	c := &catalog{prices: make(map[string]int64)}
	for i := range catalogSize {
		sku := fmt.Sprintf("sku-%06d", i)
		c.asked = append(c.asked, sku)
		if i%10 != 0 {
			c.prices[sku] = int64(100 + i%900)
		}
	}
	return c
}

func (c *catalog) sku() string { return c.asked[rand.IntN(len(c.asked))] }

func (c *catalog) price(sku string) (int64, bool) { cents, ok := c.prices[sku]; return cents, ok }

func (c *catalog) quote(sku string) int64 { return c.prices[sku] }

var (
	catalogSite = newSite("/catalog", "list", (*catalog).price)
	quoteSite   = newSite("Shop/Price", "quote", (*catalog).quote)
)

// list is the endpoint /catalog: the prices of a page of articles.
func (s *shop) list(ctx context.Context) int64 {
	sum := int64(0)
	piece := s.truth.begin(ctx, catalogSite)
	for range catalogLookups {
		if cents, ok := s.catalog.price(s.catalog.sku()); ok {
			sum += cents
		}
	}
	piece.end(catalogLookups)
	return sum
}

// quote is the gRPC call Price: the price of one article.
func (s *shop) quote(ctx context.Context, sku string) int64 {
	piece := s.truth.begin(ctx, quoteSite)
	cents := s.catalog.quote(sku)
	piece.end(1)
	return cents
}
