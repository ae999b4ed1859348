// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disks from recorded output of lsblk.

use expect_test::expect;

use super::disks::parse;

/// A machine with one of everything: the medium on a stick, an empty disk, a Windows disk, a RAID over two disks with LVM on it,
/// a mounted disk, a CD drive, a loop device.
const EVERYTHING: &str = r#"{ "blockdevices": [
  {"path":"/dev/loop0","size":367001600,"type":"loop","ro":true,"fstype":"squashfs","mountpoints":["/run/x"]},
  {"path":"/dev/sda","size":8000000000,"type":"disk","ro":false,"fstype":"iso9660","label":"CAIRN_0_1","mountpoints":[null],"model":"Cruzer ","serial":"U1","tran":"usb","log-sec":512,"pttype":"gpt",
   "children":[{"path":"/dev/sda1","size":480000000,"type":"part","ro":false,"fstype":"iso9660","label":"CAIRN_0_1","mountpoints":["/run/cairn/medium"]}]},
  {"path":"/dev/vda","size":21474836480,"type":"disk","ro":false,"fstype":null,"mountpoints":[null],"model":null,"serial":"CAIRN0","tran":"virtio","log-sec":512,"pttype":null},
  {"path":"/dev/sdb","size":512000000000,"type":"disk","ro":false,"mountpoints":[null],"model":"Disk","serial":"W","tran":"sata","log-sec":512,"pttype":"gpt",
   "children":[{"path":"/dev/sdb1","size":104857600,"type":"part","fstype":"vfat","label":"SYSTEM","mountpoints":[null]},
               {"path":"/dev/sdb2","size":16777216,"type":"part","fstype":null,"mountpoints":[null]},
               {"path":"/dev/sdb3","size":500000000000,"type":"part","fstype":"ntfs","label":"Daten","mountpoints":[null]}]},
  {"path":"/dev/sdc","size":10737418240,"type":"disk","ro":false,"mountpoints":[null],"serial":"R1","log-sec":512,"pttype":"gpt",
   "children":[{"path":"/dev/sdc1","size":10736369664,"type":"part","fstype":"linux_raid_member","mountpoints":[null],
     "children":[{"path":"/dev/md127","size":10735321088,"type":"raid1","fstype":"LVM2_member","mountpoints":[null],
       "children":[{"path":"/dev/mapper/vg0-data","size":1073741824,"type":"lvm","fstype":"ext4","mountpoints":[null]}]}]}]},
  {"path":"/dev/sdd","size":10737418240,"type":"disk","ro":false,"mountpoints":[null],"serial":"R2","log-sec":512,"pttype":"gpt",
   "children":[{"path":"/dev/sdd1","size":10736369664,"type":"part","fstype":"linux_raid_member","mountpoints":[null],
     "children":[{"path":"/dev/md127","size":10735321088,"type":"raid1","fstype":"LVM2_member","mountpoints":[null]}]}]},
  {"path":"/dev/sde","size":10737418240,"type":"disk","ro":false,"fstype":"LVM2_member","mountpoints":[null],"serial":"V1","log-sec":512},
  {"path":"/dev/sdf","size":10737418240,"type":"disk","ro":false,"fstype":"LVM2_member","mountpoints":[null],"serial":"V2","log-sec":512},
  {"path":"/dev/nvme0n1","size":10737418240,"type":"disk","ro":false,"fstype":"xfs","mountpoints":["/mnt"],"serial":"N1","tran":"nvme","log-sec":4096},
  {"path":"/dev/sdg","size":1048576,"type":"disk","ro":true,"mountpoints":[null],"serial":"P","log-sec":512,"pttype":"dos"},
  {"path":"/dev/sdh","size":1048576,"type":"disk","ro":false,"fstype":"vfat","label":"CAIRN-ANSWERS","mountpoints":[null],"serial":"A","log-sec":512},
  {"path":"/dev/sr0","size":480000000,"type":"rom","ro":false,"fstype":"iso9660","mountpoints":["/run/cairn/medium"]},
  {"path":"/dev/zram0","size":480000000,"type":"disk","ro":false,"mountpoints":["[SWAP]"]}
]}"#;

#[test]
fn every_obstacle_is_seen() {
    let volumes = [("/dev/md127", "vg0"), ("/dev/sde", "big"), ("/dev/sdf", "big")]
        .map(|(node, group)| (node.to_owned(), group.to_owned()));
    let disks = parse(EVERYTHING, &volumes).unwrap();
    let lines: Vec<String> = disks
        .iter()
        .map(|disk| format!("{} => {}", disk.describe(), disk.obstacles.join("; ")))
        .collect();
    expect![[r#"
        /dev/sda  7629 MiB  Cruzer  usb  serial U1  (iso9660 `CAIRN_0_1`) => it is the install medium
        /dev/vda  20 GiB  virtio  serial CAIRN0  (empty) => 
        /dev/sdb  476 GiB  Disk  sata  serial W  (vfat `SYSTEM`, a partition of 16 MiB, ntfs `Daten`) => 
        /dev/sdc  10 GiB  serial R1  (part of a RAID, part of LVM, ext4) => the RAID /dev/md127 has members on other disks
        /dev/sdd  10 GiB  serial R2  (part of a RAID, part of LVM) => the RAID /dev/md127 has members on other disks
        /dev/sde  10 GiB  serial V1  (part of LVM) => the volume group `big` has parts on other disks
        /dev/sdf  10 GiB  serial V2  (part of LVM) => the volume group `big` has parts on other disks
        /dev/nvme0n1  10 GiB  nvme  serial N1  (xfs) => /dev/nvme0n1 is mounted at /mnt
        /dev/sdg  1 MiB  serial P  (an empty partition table) => it is write-protected
        /dev/sdh  1 MiB  serial A  (vfat `CAIRN-ANSWERS`) => it holds the answers (`CAIRN-ANSWERS`)"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_disk_with_its_own_group_is_free() {
    let text = r#"{"blockdevices":[{"path":"/dev/vda","size":21474836480,"type":"disk","ro":false,"mountpoints":[null],
      "children":[{"path":"/dev/vda4","size":20000000000,"type":"part","fstype":"LVM2_member","mountpoints":[null],
        "children":[{"path":"/dev/mapper/cairn-root","size":20000000000,"type":"lvm","fstype":"xfs","mountpoints":[null]}]}]}]}"#;
    let disks = parse(text, &[("/dev/vda4".into(), "cairn".into())]).unwrap();
    assert_eq!(disks[0].obstacles, Vec::<String>::new());
    assert_eq!(disks[0].volume_groups, ["cairn"]);
    assert!(parse("<html>", &[]).is_err());
}
