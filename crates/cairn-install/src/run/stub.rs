// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boot code of a disk whose installation is not finished: a BIOS says so and goes on with the next device.

/// Writes the message after it through the BIOS, then calls `int 18h`: the next boot device. The message begins at 0x7c1a.
const CODE: [u8; 26] = [
    0x31, 0xc0, // xor ax, ax
    0x8e, 0xd8, // mov ds, ax
    0xbe, 0x1a, 0x7c, // mov si, message
    0xac, // lodsb
    0x84, 0xc0, // test al, al
    0x74, 0x09, // jz to int 18h
    0xb4, 0x0e, // mov ah, 0eh
    0xbb, 0x07, 0x00, // mov bx, 7
    0xcd, 0x10, // int 10h
    0xeb, 0xf2, // jmp to lodsb
    0xcd, 0x18, // int 18h
    0xf4, // hlt
    0xeb, 0xfd, // jmp to hlt
];

const MESSAGE: &[u8] =
    b"\r\nThe installation of Cairn Linux on this disk was not finished: run it again.\r\n\0";

/// Returns the boot code; it fits the 440 bytes before the disk signature.
pub(super) fn boot_code() -> Vec<u8> {
    [CODE.as_slice(), MESSAGE].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_meet_their_targets() {
        let code = boot_code();
        assert!(code.len() <= 440);
        assert_eq!(usize::from(u16::from_le_bytes([code[5], code[6]])) - 0x7c00, CODE.len());
        // jz: relative to the next instruction.
        assert_eq!(code[12 + usize::from(code[11])..][..2], [0xcd, 0x18]);
        let back = usize::from(code[20].wrapping_neg());
        assert_eq!(code[21 - back], 0xac);
        assert_eq!(code.last(), Some(&0));
    }
}
