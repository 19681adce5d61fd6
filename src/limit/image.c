/*
 * The word is mapped by who publishes and read with pread(2) by all others. The checksum is under a key that is no
 * secret: it tells damage, not forgery.
 */
#include "limit/image.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The hash does not see what stands beside a word that equals the key's second: so that is no number to be met. */
static uint64_t checksum_of(struct slice image)
{
	static const struct hash_key plain = {5, 0x8ebc6af09c88c6e3u};
	const size_t at = offsetof(struct image_head, checksum), after = at + sizeof(uint64_t);
	uint64_t before = hash_quick(&plain, slice_sub(image, 0, at));
	const struct hash_key chained = {before, plain.k1};
	return hash_quick(&chained, slice_after(image, after));
}

bool image_error_passes(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

void image_seal(void *image, size_t bytes)
{
	uint64_t checksum = checksum_of(slice_make(image, bytes));
	memcpy((uint8_t *)image + offsetof(struct image_head, checksum), &checksum, sizeof(checksum));
}

enum image_fault image_check(struct slice bytes, const struct image_head *expected,
			     const uint8_t boot[IMAGE_BOOT_BYTES])
{
	const struct image_head *head = (const struct image_head *)bytes.ptr;
	if (bytes.len < offsetof(struct image_head, length))
		return IMAGE_SHORT;
	if ((uintptr_t)bytes.ptr % sizeof(uint64_t) != 0 ||
	    memcmp(head->magic, expected->magic, sizeof(head->magic)) != 0)
		return IMAGE_STRANGE;
	if (head->form != expected->form || head->record_bytes != expected->record_bytes)
		return IMAGE_FORM;
	if (bytes.len < sizeof(*head) || head->length != bytes.len)
		return IMAGE_SHORT;
	if (head->checksum != checksum_of(bytes))
		return IMAGE_CHECKSUM;
	if (memcmp(head->version.boot, boot, IMAGE_BOOT_BYTES) != 0)
		return IMAGE_BOOT;
	return IMAGE_GOOD;
}

const char *image_fault_text(enum image_fault fault)
{
	static const char *const texts[IMAGE_FAULTS] = {
		[IMAGE_GOOD] = "good",
		[IMAGE_SHORT] = "cut short, or longer than it says",
		[IMAGE_STRANGE] = "not what its name says",
		[IMAGE_FORM] = "made by another version",
		[IMAGE_BOOT] = "of before the machine was started: its times mean nothing now",
		[IMAGE_CHECKSUM] = "damaged: the checksum does not hold",
		[IMAGE_MALFORMED] = "malformed, though its checksum holds",
	};
	return fault < IMAGE_FAULTS ? texts[fault] : "unknown";
}

/* A UUID as text: dashes are passed over. */
int image_boot_read(uint8_t ret_boot[IMAGE_BOOT_BYTES])
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	int r = len < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (r != 0)
		return r;
	uint8_t boot[IMAGE_BOOT_BYTES] = {0};
	size_t digits = 0;
	for (ssize_t i = 0; i < len && digits < (size_t)2 * IMAGE_BOOT_BYTES; i++) {
		int digit = byte_hex_value((uint8_t)text[i]);
		if (digit < 0)
			continue;
		boot[digits / 2] = (uint8_t)(boot[digits / 2] << 4 | digit);
		digits++;
	}
	if (digits < (size_t)2 * IMAGE_BOOT_BYTES)
		return -ENODATA;
	memcpy(ret_boot, boot, sizeof(boot));
	return 0;
}

/* ---- the word ---- */

int image_word_open(const char *path, uint64_t **ret_word)
{
	struct stat status;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	int r = fstat(fd, &status) == 0 ? 0 : -errno;
	/* Whatever the umask says: workers read it. */
	if (r == 0 && fchmod(fd, 0640) != 0)
		r = -errno;
	if (r == 0 && status.st_size != sizeof(**ret_word))
		r = -posix_fallocate(fd, 0, sizeof(**ret_word));
	void *map = r == 0 ? mmap(NULL, sizeof(**ret_word), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (r == 0 && map == MAP_FAILED)
		r = -errno;
	close(fd);
	if (r == 0)
		*ret_word = map;
	return r;
}

void image_word_close(uint64_t *word)
{
	if (word != NULL)
		munmap(word, sizeof(*word));
}

bool image_word_read(const char *path, uint64_t *ret_word)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool whole = fd != -1 && pread(fd, ret_word, sizeof(*ret_word), 0) == (ssize_t)sizeof(*ret_word);
	if (fd != -1)
		(void)close(fd);
	return whole;
}

int image_publish(const char *path, struct slice image, uint64_t generation, uint64_t *word)
{
	int r = file_replace_volatile(path, image, 0640); /* times in it are of this boot */
	if (r == 0)
		__atomic_store_n(word, generation, __ATOMIC_RELEASE);
	return r;
}
