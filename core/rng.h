// SPDX-License-Identifier: Apache-2.0
// Seeded random numbers for plans and faults, and real entropy for nonces.
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

/** struct rng - xoshiro256** (Blackman & Vigna 2018), seeded by splitmix64. */
struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/** rng_below() - uniform in [0, n) without bias (Lemire 2019); n >= 1. */
uint64_t rng_below(struct rng *rng, uint64_t n);
/** rng_double() - uniform in [0, 1), 53 bits. */
double rng_double(struct rng *rng);
/** rng_shuffle() - Fisher-Yates over an array of unsigned. */
void rng_shuffle(struct rng *rng, unsigned *a, size_t n);

/** rng_mix() - splitmix64's finaliser: derive one stream's seed from another's. */
uint64_t rng_mix(uint64_t x);

enum { NONCE_CAP = 33 };

/** rng_nonce() - 128 bits of kernel entropy as 32 lower-case hex digits. */
void rng_nonce(char out[NONCE_CAP]);

/** rng_entropy() - 64 bits of kernel entropy: a seed for jitter. */
uint64_t rng_entropy(void);

#endif
