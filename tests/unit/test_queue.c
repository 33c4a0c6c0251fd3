// SPDX-License-Identifier: Apache-2.0
// The attempt an heir goes on with.
#include "worker/queue.h"

#include "tests/unit/tap.h"

static void test_unseen(void)
{
	const struct found begun = {1, 1, 1, false}, ended = {1, 1, 1, true};
	const struct found older = {1, 1, 3, false};

	ok(queue_skip_unseen(NULL, 1, 2) == 2, "nothing known: it may have been begun");
	ok(queue_skip_unseen(NULL, 1, 1) == 1, "... but there is only one attempt");
	ok(queue_skip_unseen(&begun, 2, 8) == 2, "seen in flight: what follows is new");
	ok(queue_skip_unseen(&ended, 2, 8) == 3,
	   "interrupted with a record: the next may have been begun");
	ok(queue_skip_unseen(&ended, 2, 2) == 2, "... but it is the last");
	ok(queue_skip_unseen(&older, 3, 8) == 4, "the number begun is not used again");
	ok(queue_skip_unseen(&older, 5, 8) == 6, "a round's own first number");
}

int main(void)
{
	test_unseen();
	return done_testing();
}
