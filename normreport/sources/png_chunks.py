"""The chunks of a PNG file that decide its pixels."""

from __future__ import annotations

import io
import struct
import zlib
from typing import IO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Ancillary chunks that decide how an image looks. Texts and colour profiles do not, and Pillow
# rejects the whole file if one of them is long or damaged.
USED = (b"tRNS", b"eXIf")


def without_texts(file: IO[bytes]) -> IO[bytes]:
    """Return a PNG file without the chunks that do not decide its pixels.

    Files of other formats, and what follows a damaged length, are returned as they are.
    """
    start = file.tell()
    if file.read(len(SIGNATURE)) != SIGNATURE:
        file.seek(start)
        return file
    content = memoryview(file.read())
    kept: list[bytes | memoryview] = [SIGNATURE]
    place = 0
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        if end > len(content):
            break
        chunk = content[place:end]
        # A lower-case first letter marks an ancillary chunk.
        if name[0] & 0x20 == 0 or (name in USED and _is_intact(chunk)):
            kept.append(chunk)
        place = end
    return io.BytesIO(b"".join([*kept, content[place:]]))


def _is_intact(chunk: memoryview) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
