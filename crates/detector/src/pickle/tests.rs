//! Pickles by hand; those of whole files are in the tests of the program.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::error::message;

/// `{"w": tensor}` with 2×3 values from the fifth on, as PyTorch writes it, its metadata included.
const STATE: &[u8] = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\0\0\0wq\x02ctorch._utils\n_rebuild_tensor_v2\nq\x03\
    ((X\x07\0\0\0storageq\x04ctorch\nFloatStorage\nq\x05X\x01\0\0\x007q\x06X\x03\0\0\0cpuq\x07K\x0Btq\x08QK\x05K\x02K\x03\x86q\x09\
    K\x03K\x01\x86q\x0A\x89h\x00)Rq\x0Btq\x0CRq\x0Ds}q\x0EX\x09\0\0\0_metadatah\x00)Rsb.";

/// The same in protocol 4, by Python's `pickle`, with classes and a function of these names in modules of these names.
const STATE_4: &[u8] = b"\x80\x04\x95\x99\0\0\0\0\0\0\0\x8C\x0Bcollections\x94\x8C\x0BOrderedDict\x94\x93\x94)R\x94\x8C\x01w\x94\
    \x8C\x0Ctorch._utils\x94\x8C\x12_rebuild_tensor_v2\x94\x93\x94((\x8C\x07storage\x94\x8C\x05torch\x94\x8C\x0CFloatStorage\x94\x93\x94\
    \x8C\x017\x94\x8C\x03cpu\x94K\x0Bt\x94QK\x05K\x02K\x03\x86\x94K\x03K\x01\x86\x94\x89h\x02)R\x94t\x94R\x94s.";

fn refusal(pickle: &[u8]) -> String {
    message(&state_dict(pickle).unwrap_err())
}

#[test]
fn a_state_dictionary_says_where_its_tensors_lie() {
    let expected = StoredTensor { storage: "7".into(), offset: 5, shape: vec![2, 3] };
    let expected = HashMap::from([("w".to_owned(), expected)]);
    assert_eq!(state_dict(STATE).unwrap(), expected);
    assert_eq!(state_dict(STATE_4).unwrap(), expected);
    // Protocol 5 has the same instructions for it.
    let mut state_5 = STATE_4.to_vec();
    state_5[1] = 5;
    assert_eq!(state_dict(&state_5).unwrap(), expected);
    assert!(state_dict(b"}.").unwrap().is_empty());
}

/// A dictionary that is remembered is the same one, however often, and has what is added to it later.
#[test]
fn a_dictionary_is_remembered_and_not_copied() {
    let added = b"q\x0Ds";
    let end = STATE.windows(3).position(|bytes| bytes == added).unwrap() + added.len();
    let again = b"\x94h\x02h\x0Ds".repeat(150_000);
    let remembered = [&STATE[..end], &again, b"h\x01."].concat();
    assert_eq!(state_dict(&remembered).unwrap(), state_dict(STATE).unwrap());
}

/// Cut off or changed anywhere, it is read or refused, and nothing panics.
#[test]
fn damage_is_no_panic() {
    for state in [STATE, STATE_4] {
        for length in 0..state.len() {
            assert!(state_dict(&state[..length]).is_err(), "cut off at {length}");
        }
        for place in 0..state.len() {
            for bit in 0..8 {
                let mut changed = state.to_vec();
                changed[place] ^= 1 << bit;
                drop(state_dict(&changed));
            }
        }
    }
}

#[test]
fn nothing_is_called_and_nothing_grows() {
    let system = b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R.";
    assert_eq!(refusal(system), "a state dictionary does not call \"posix.system\"");
    // A class made by another instruction, which may run its constructor.
    assert_eq!(refusal(b"cos\nPathLike\n)\x81."), "a state dictionary has no instruction 0x81");
    // Twice itself, again and again.
    let doubled = [&b"N"[..], &b"q\0h\0\x86".repeat(100), b"."].concat();
    assert_eq!(refusal(&doubled), "tuples are nested too deeply");
    // A long name, remembered and put together again and again.
    let name = [&b"X\x01\x01\0\0"[..], &[b'a'; 257], b"q\0h\0\x93."].concat();
    assert_eq!(refusal(&name), "a name is too long");
    assert_eq!(refusal(b"X\xFF\xFF\xFF\xFFabc."), "the pickle is cut off");
    assert_eq!(refusal(&vec![b'('; 1 << 21]), "expected a pickle of at most 1048576 bytes");
    assert_eq!(refusal(b"N."), "expected a dictionary of tensors");
}
