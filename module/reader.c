// SPDX-License-Identifier: GPL-2.0-only
#include "fields.h"
#include "reader.h"

bool gw_reader_seek(struct gw_reader *reader, loff_t pos)
{
	unsigned int i;

	for (i = 0; reader->set && i < reader->set->nr; i++) {
		unsigned int parts = gw_record_parts(reader->set->records[i]);

		if (pos < parts) {
			reader->current_record = i;
			reader->part = pos;
			return true;
		}
		pos -= parts;
	}
	return false;
}

bool gw_reader_next(struct gw_reader *reader)
{
	if (++reader->part < gw_record_parts(reader->set->records[reader->current_record]))
		return true;
	reader->part = 0;
	return ++reader->current_record < reader->set->nr;
}

void gw_reader_show(const struct gw_reader *reader, struct seq_file *m)
{
	reader->print(m, reader->set->records[reader->current_record], reader->part);
}
