// SPDX-License-Identifier: Apache-2.0
// The build id that the linker left in the program's notes.
#include "worker/build_id.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

enum { BYTES_MAX = (BUILD_ID_CAP - 1) / 2, NOTE_ALIGN = 4 };

static size_t aligned(size_t n)
{
	return (n + NOTE_ALIGN - 1) / NOTE_ALIGN * NOTE_ALIGN;
}

static void write_hex(const unsigned char *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n && i < BYTES_MAX; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* The notes of one segment; names and contents are padded to 4 bytes. */
static void scan_notes(const unsigned char *at, size_t left, char *out)
{
	ElfW(Nhdr) note;

	while (left >= sizeof(note)) {
		size_t name_n, n;

		memcpy(&note, at, sizeof(note));
		name_n = aligned(note.n_namesz);
		n = sizeof(note) + name_n + aligned(note.n_descsz);
		if (n > left)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(at + sizeof(note), "GNU", 4) == 0)
			write_hex(at + sizeof(note) + name_n, note.n_descsz, out);
		at += n;
		left -= n;
	}
}

/* The program itself is the first object. */
static int on_object(struct dl_phdr_info *info, size_t size, void *out)
{
	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE &&
		    info->dlpi_phdr[i].p_align <= NOTE_ALIGN)
			scan_notes((const unsigned char *)info->dlpi_addr +
					   info->dlpi_phdr[i].p_vaddr,
				   info->dlpi_phdr[i].p_memsz, out);
	return 1;
}

void build_id_read(char out[BUILD_ID_CAP])
{
	memset(out, 0, BUILD_ID_CAP);
	dl_iterate_phdr(on_object, out);
}
