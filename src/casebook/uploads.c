/*
 * Two rings: names, and requests for one of them that have not ended. A head has the path in clear, an event how it
 * ended; in between a request is remembered by its box and number.
 */
#include "casebook/uploads.h"

#include "base/reader.h"

/* What stands behind the last `needle`, as logdata of the Core Rule Set ends: "... within FILES:f: x.php". */
static struct slice behind_last(struct slice text, struct slice needle)
{
	for (size_t at = text.len; at-- > 0;)
		if (slice_starts_with(slice_after(text, at), needle))
			return slice_after(text, at + needle.len);
	return SLICE("");
}

static struct slice name_in_body(struct slice body)
{
	static const char opening[] = "filename=\"";
	size_t at = slice_find_nocase(body, slice_from_string(opening), 0) + sizeof(opening) - 1;
	struct slice rest = slice_after(body, at);
	size_t end = slice_find_byte(rest, '"', 0);
	return end < rest.len ? slice_sub(rest, 0, end) : SLICE("");
}

/* Of a path, or of what browsers of old sent as one. */
static struct slice last_part(struct slice name)
{
	for (size_t at = name.len; at-- > 0;)
		if (name.ptr[at] == '/' || name.ptr[at] == '\\')
			return slice_after(name, at + 1);
	return name;
}

struct slice upload_name(const struct finding *finding)
{
	struct slice name = name_in_body(finding->texts[FINDING_BODY_SENT]);
	for (size_t i = 0; i < finding->head.match_count && name.len == 0; i++)
		if (finding->matches[i].classes >> FINDING_CLASS_UPLOAD & 1)
			name = behind_last(finding->match_texts[i].data, SLICE(": "));
	name = last_part(name);
	return name.len < UPLOAD_NAME_BYTES ? name : SLICE("");
}

/* Such a name every site has: to ask for it says nothing. */
static bool is_everywhere(struct slice name)
{
	static const struct slice names[] = {SLICE_INIT("index."), SLICE_INIT("default."), SLICE_INIT("home.")};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_starts_with_nocase(name, names[i]))
			return true;
	return false;
}

/* Who asks for one that had the place before asks for nothing that is known. */
static void forget_asked(struct uploads *uploads, size_t place)
{
	for (size_t i = 0; i < UPLOADS_ASKED; i++)
		if (uploads->asked[i].upload == place + 1) {
			uploads->asked[i].upload = 0;
			uploads->waiting--;
		}
}

void uploads_add(struct uploads *uploads, struct slice name, uint32_t actor, uint64_t since_ms)
{
	if (name.len == 0 || name.len >= UPLOAD_NAME_BYTES || is_everywhere(name))
		return;
	for (size_t i = 0; i < UPLOADS_KEPT; i++)
		if (slice_equal(slice_from_string(uploads->kept[i].name), name)) {
			uploads->kept[i].actor = actor;
			uploads->kept[i].since_ms = since_ms;
			return;
		}
	size_t place = uploads->next++ % UPLOADS_KEPT;
	struct upload *upload = &uploads->kept[place];
	forget_asked(uploads, place);
	*upload = (struct upload){.actor = actor, .since_ms = since_ms};
	memcpy(upload->name, name.ptr, name.len);
}

static struct slice path_of(const struct head *head)
{
	size_t length = head->length < sizeof(head->text) ? head->length : sizeof(head->text);
	struct reader reader = reader_make(slice_make(head->text, length));
	struct slice line = reader_until(&reader, '\n'), uri, path;
	line = slice_cut(line, ' ', &uri);
	(void)slice_cut(line, ' ', &uri);
	(void)slice_cut(uri, '?', &path);
	return path;
}

void uploads_head(struct uploads *uploads, unsigned box, const struct head *head)
{
	struct slice name = last_part(path_of(head));
	if (name.len == 0)
		return;
	for (uint32_t i = 0; i < UPLOADS_KEPT; i++) {
		if (!slice_equal(slice_from_string(uploads->kept[i].name), name))
			continue;
		struct upload_asked *asked = &uploads->asked[uploads->next_asked++ % UPLOADS_ASKED];
		uploads->waiting += asked->upload == 0;
		*asked = (struct upload_asked){box, head->request, i + 1};
		return;
	}
}

const struct upload *uploads_end(struct uploads *uploads, unsigned box, const struct event *event)
{
	for (size_t i = 0; uploads->waiting > 0 && i < UPLOADS_ASKED; i++) {
		struct upload_asked *asked = &uploads->asked[i];
		if (asked->upload == 0 || asked->box != box || asked->request != event->request)
			continue;
		const struct upload *upload = &uploads->kept[asked->upload - 1];
		asked->upload = 0;
		uploads->waiting--;
		return event->end.status >= 200 && event->end.status < 300 ? upload : NULL;
	}
	return NULL;
}
