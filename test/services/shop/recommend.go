package main

import (
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"
)

const (
	features         = 8
	featureLookups   = 16
	soldOutSize      = 896
	soldOutRemaining = 16
	soldOutLookups   = 16
)

// wishes says of each feature whether it is wished for: true, or nil.
//
// It is as bad as a key can be, on purpose. An interface that is nil takes no part in a hash: the hash of an array of
// interfaces is that of the others, in order. So all keys with the same number of wishes have the same hash, whatever the
// map's seed is: 256 keys share nine hashes, and 70 of them one. In a classic map these are one chain of nine buckets; in
// a Swiss map they fill nine groups and more, with control bytes that all agree. Every key on the way is compared.
type wishes [features]any

// recommend holds the maps of /recommend.
type recommend struct {
	bestsellers map[wishes]int64
	// halfWishes are the keys that have the commonest hash.
	halfWishes []wishes
	// soldOut has been emptied of nearly everything. A Swiss map keeps tombstones in groups that were full, so that a
	// lookup of what is not there goes on past them; a classic map recovers.
	soldOut map[string]int64
	asked   []string
}

func newRecommend() *recommend {
	r := &recommend{bestsellers: make(map[wishes]int64), soldOut: make(map[string]int64)}
	for mask := range uint(1 << features) {
		var key wishes
		for i := range features {
			if mask>>i&1 == 1 {
				key[i] = true
			}
		}
		if bits.OnesCount(mask) == features/2 {
			r.halfWishes = append(r.halfWishes, key)
		}
		// Some combinations are not to be found.
		if mask%7 != 0 {
			r.bestsellers[key] = int64(mask)
		}
	}
	for i := range soldOutSize {
		r.soldOut[fmt.Sprintf("sold-%06d", i)] = int64(i)
		r.asked = append(r.asked, fmt.Sprintf("gone-%06d", i))
	}
	for i := range soldOutSize - soldOutRemaining {
		delete(r.soldOut, fmt.Sprintf("sold-%06d", i))
	}
	return r
}

func (r *recommend) bestseller(key wishes) (int64, bool) { n, ok := r.bestsellers[key]; return n, ok }

func (r *recommend) remaining(sku string) int64 { return r.soldOut[sku] }

var (
	bestsellerSite = newSite("/recommend", "bestseller", (*recommend).bestseller)
	remainingSite  = newSite("/recommend", "remaining", (*recommend).remaining)
)

// advise is the endpoint /recommend: the slow one.
func (s *shop) advise(ctx context.Context) int64 {
	sum := int64(0)
	piece := s.truth.begin(ctx, bestsellerSite)
	for range featureLookups {
		n, _ := s.recommend.bestseller(s.recommend.halfWishes[rand.IntN(len(s.recommend.halfWishes))])
		sum += n
	}
	piece.end(featureLookups)

	piece = s.truth.begin(ctx, remainingSite)
	for range soldOutLookups {
		sum += s.recommend.remaining(s.recommend.asked[rand.IntN(len(s.recommend.asked))])
	}
	piece.end(soldOutLookups)
	return sum
}
