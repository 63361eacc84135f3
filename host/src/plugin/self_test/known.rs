//! Objects whose plaintext is known, made by MinIO's own code and, for the compact form, by a second
//! implementation; the same as in the vectors of the tests. The keys and the credential are published
//! and protect nothing.

use crate::contract::Form;

/// The keys of all of them, `NAME:BASE64`.
pub const KEYS: [&str; 2] = [
    "my-minio-key:rDHTF3saS+WLQAGZnULu9cZHAzOOWiDBSORoXgorNsM=",
    "a-key:IRJeRocAw0/WvFOrRGffcjtAqqUf+DN1FV2wpX4R+cI=",
];

/// The root credential of all of them, `USER:PASSWORD`.
pub const ROOT_CREDENTIAL: &str = "minioadmin:minioadmin";

/// One object.
pub struct Known {
    pub what: &'static str,
    pub store_name: &'static str,
    pub path: &'static str,
    pub form: Form,
    /// As it is stored, in base64.
    pub stored: &'static str,
    /// What it holds, in base64.
    pub plaintext: &'static str,
}

/// A user's identity file, in base64.
const IDENTITY: &str = "\
            eyJ2ZXJzaW9uIjoxLCJjcmVkZW50aWFscyI6eyJhY2Nlc3NLZXkiOiJteS1taW5pby1rZXkiLCJzZWNyZXRL\
            ZXkiOiI2Nzg5YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcHFy\
            c3R1dnd4eXowMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU2Nzg5";

/// One object of each form, and of each way that was widespread.
pub const KNOWN: [Known; 6] = [
    Known {
        what: "MinIO, ChaCha20-Poly1305, binary data key",
        store_name: "",
        path: "config/iam/users/alice/identity.json",
        form: Form::Minio,
        stored: "\
            AcMAAAB7ImtleWlkIjoibXktbWluaW8ta2V5Iiwia21za2V5IjoiaEoxUm5oQWk0WDRNQm9sc25HRVVNSlBn\
            UHhsTlQ3NGhKTTVqOUJIVFRydk5CczZYWTF1T1lSc3YxcndQMlNVZlROUzNuRFQ0WUpjZGJleHE3WVd5Z3Vv\
            VHRTOWJBWFFsejU1dTJ3PT0iLCJhbGdvcml0aG0iOiJDaGFDaGEyMC1Qb2x5MTMwNSIsIm5vbmNlIjoiL3Qx\
            M2pLcE9BYVk9In25l9UALICj73yGzCgsQ01V/oEpBrfP4eFEAsXBVOpZoUXMPo7e0JyUnf5d6hmtI6m4mc7w\
            P4fsiFmVHR7LbyH6+Go+fnk/WpxqEGFF56v//1v4xSmpK7zuU59ozuJEj6pqKv1Al2ZrLX5H9JddzDtBDqjU\
            nqY9yxAntDc0LqJq3SwRwU4abtrNHEKh7vxok35a/W1Yw8E37Dig3h6X3YEvdCC2lz41zCjyqq3hjb7TFI22\
            wiWLYFR/p1FC8xF5Oit9NgsO",
        plaintext: IDENTITY,
    },
    Known {
        what: "MinIO, AES-256-GCM, JSON data key",
        store_name: "",
        path: "config/iam/users/alice/identity.json",
        form: Form::Minio,
        stored: "\
            ATkBAAB7ImtleWlkIjoibXktbWluaW8ta2V5Iiwia21za2V5IjoiZXlKaFpXRmtJam9pUVVWVExUSTFOaTFI\
            UTAwdFNFMUJReTFUU0VFdE1qVTJJaXdpYVhZaU9pSm1ZMWhxWlROSWFERllRVEJpUkU5eWJFODVTa05uUFQw\
            aUxDSnViMjVqWlNJNklqUmtMMUZsYWpCWFFVVk1kbTE1WVdJaUxDSmllWFJsY3lJNklpOVdTRVJZVFVoSmRt\
            aHhZVGxVY21wNVQyNDVkemx3UmpWRVJWTXljbG81WTFCWVYyVnlLMEUyUTA5bk4yMVBTRmxCVXpkSmFXRkZi\
            VXBxTjNJelIzZ2lmUT09IiwiYWxnb3JpdGhtIjoiQUVTLTI1Ni1HQ00iLCJub25jZSI6IlBCNStSRTBaTXVz\
            PSJ9h3FYSJxnWzGBnBrbbeKP4NzygIPzfRHDdVCD0Jk0Jmg78+QtzkGxIymwgCYANK56yMDgk0sToO/bnI3F\
            sA22kuqIjR7X7eUF62YfwiLVJd1/vtGNS6ypDyK/xOXFHKZp+zK5iVWWho1Q6UeL12IQmn8CJcMVpIc8Z4qh\
            CR9hPprpmY8g3zS8NZm2cYiIpSMNlE2XnSj8TMgrVEfRRawOkPx/9cdajOPqiedFtnJPICJOsqnfD+W9+Ozs\
            jVhICz7ngPgD7g==",
        plaintext: IDENTITY,
    },
    Known {
        what: "MinIO, bare context",
        store_name: "",
        path: "config/iam/users/alice/identity.json",
        form: Form::Minio,
        stored: "\
            Ab0AAAB7ImtleWlkIjoibXktbWluaW8ta2V5Iiwia21za2V5IjoiYy9uTU1UVW1mdFZWUTN0ZE12bEpsUm01\
            OFFRb3hPdzJzZE95WFViNWJkL2VXR0JjOC9uMXVqVWVqMjB6V3JFRmpNajJBdkxCZHdQa3ZWeVViYkQrMDhQ\
            OHdBbHN3MWZ3T3ZHcVdnPT0iLCJhbGdvcml0aG0iOiJBRVMtMjU2LUdDTSIsIm5vbmNlIjoiZDB5MHl3ZWkv\
            K0U9In2LxsyHC7jW/NItrcFKra3H/f/lKEMnxaWhCVxd6E7yGKzFrywczcnIM6dNS+yYyQ2q9A1SuYwySnH6\
            4hiNKyxo96DlG5zOoT5N0gMAaKn/byAPpL+Vy6Dz0LcVaJg8oi6Cf9O+FG2EvCyAQDA0BL3sQXxznW6uUwYF\
            oEr0N4hdkOPbDQh4YiykC/MPf4uhfC+k9V+Cn8wHPkIpyuXkUPNzz7PmyJF/Pp8XFlxSxOmpYdVCMwAX9WGy\
            WbyRZXM42jxU2WtO",
        plaintext: IDENTITY,
    },
    Known {
        what: "root credential, Argon2id",
        store_name: "",
        path: "config/config.json",
        form: Form::RootCredential,
        stored: "\
            VVXHjy27NI0YDGY0+CkmyaAvOcJzauQ612k91VJpfmgA6IpCoQgvDcc8CzafooZiJHc+3tbBTxgK9++dyxeu\
            Ocz2m+gUKW6Dk+QToJb0/DPj1cI/A5Cd5c0R4VqfJppckJfndbEvJJWOWYCiT9fM9014B2ezBG3neLS5Ow2k\
            LS5eNFdOqHXFCWE4cMyQ4w7TTPogFvBzTnfjzlD24Z6hWH0ExU9m25nyrwpZfyT0Iwyuzw4OTZUibUm+MAOK\
            kNKRYjPgbppXWCCU/b+Fj+6AIvdS0edxYxQt1B4xKzTVFuOkXGlazRR6QopcuVuE",
        plaintext: IDENTITY,
    },
    Known {
        what: "root credential, PBKDF2",
        store_name: "",
        path: "config/config.json",
        form: Form::RootCredential,
        stored: "\
            LpZ/oge53FIaKfpxBSyntEcDKYu+jJprLPQ92o6viP4Cf39IllBUn8ZR6MkTGNv3d6ti0b0LknCPEb/k8jvQ\
            KgtQRYsXZngbhG3N5qkK6YuYc1W3fRqkQkB4YGn6weFs1ksomb74dyJfrzHshvlqRq4VhAjtFbL1ANApKeoI\
            7/YrSkEmgXIAFNRqqzZz6gDs797eil2W0gmwPV69Rhx5QpuCUHud61feGXxf00hLgSavepgHdHiKw/xUKwgR\
            /JG2q9roszo3tTccwGZXKxuEmuYsmwQxOubiVy+RJJqyEmmbqxweD6epqx+/aCsA",
        plaintext: IDENTITY,
    },
    Known {
        what: "compact",
        store_name: "site-a",
        path: "config/iam/format.json",
        form: Form::Compact,
        stored: "\
            +WlzAW+8ZPwO02PoJpqDadr/a8MKaYrlS4vjogQUWCyWkIWTBWEta2V5TCdB+tM82YXiTIzlSJ0rTC8z1a5x\
            670hSSUnzwXeeDStLDmSqWx62B3aBTZWtrR1Og2hv4bt+rIvCAore3p5ok5CzTnzjjyvhZ9iKmoOZ5IcxuWo\
            O6xVDtMCkKMXXUD6cGVwZagVXXKIKUOgUXbhqjJjpx+GgkHci2tqCz3Vz9vYgKYtaKKj5Cjx8MqqLOtytAR8\
            cnpLc3IKIvCGA0Yu7yX8KwD/+J4yhlp3R0v/MlaEqfxDjY897j6jxjEmyLd3WYz0Z0sPmDhn7BTxMa2433EQ\
            tNbpJEJd1c5wjobPgBC7",
        plaintext: "\
            AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+\
            P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiYw==",
    },
];
