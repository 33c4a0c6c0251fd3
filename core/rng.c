// SPDX-License-Identifier: Apache-2.0
// xoshiro256**, splitmix64 and nonces.
#include "core/rng.h"

#include <stdio.h>
#include <sys/random.h>

static uint64_t splitmix64(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u;
	return rng_mix(*state);
}

uint64_t rng_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

void rng_init(struct rng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		rng->s[i] = splitmix64(&seed);
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
	__extension__ typedef unsigned __int128 u128;
	u128 m = (u128)rng_next(rng) * n;

	if ((uint64_t)m < n) {
		uint64_t floor = -n % n;

		while ((uint64_t)m < floor)
			m = (u128)rng_next(rng) * n;
	}
	return (uint64_t)(m >> 64);
}

double rng_double(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

void rng_shuffle(struct rng *rng, unsigned *a, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)rng_below(rng, i);
		unsigned t = a[i - 1];

		a[i - 1] = a[j];
		a[j] = t;
	}
}

uint64_t rng_entropy(void)
{
	uint64_t v = 0;

	/* 8 bytes never block or fall short once the pool is ready: getrandom(2) */
	while (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
		;
	return v;
}

void rng_nonce(char out[NONCE_CAP])
{
	unsigned long long v[2] = {0};

	while (getrandom(v, sizeof(v), 0) != (ssize_t)sizeof(v))
		;
	snprintf(out, NONCE_CAP, "%016llx%016llx", v[0], v[1]);
}
