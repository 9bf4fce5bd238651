"""Mutants of the modalities of medicine and biology."""

from mutant import Mutant

SEQUENCE, DICOM = "modalities/test_sequence.py", "modalities/test_dicom.py"
VOLUME, CLINIC = "modalities/test_volume.py", "world/test_clinic.py"

CLINICAL = (
    Mutant(
        "letters that were not learned read as another one",
        "modalities/sequence.py",
        "letter if letter in alphabet else unknown",
        "letter if letter in alphabet else alphabet[0]",
        SEQUENCE,
    ),
    Mutant(
        "letters after the end of a drawn sequence",
        "modalities/sequence.py",
        "end = codes.index(0) if 0 in codes else len(codes)",
        "end = len(codes)",
        SEQUENCE,
    ),
    Mutant(
        "units without the intercept",
        "modalities/dicom_file.py",
        "values * slopes + intercepts",
        "values * slopes",
        DICOM,
    ),
    Mutant(
        "inverted grey beside its range",
        "modalities/dicom_file.py",
        "return -1 if header.PixelRepresentation",
        "return 0 if header.PixelRepresentation",
        DICOM,
    ),
    Mutant(
        "a window beside inverted grey",
        "modalities/dicom_file.py",
        "* slope + 2 * intercept - centre",
        "* slope + intercept - centre",
        DICOM,
    ),
    Mutant(
        "a window from its centre on",
        "modalities/dicom_file.py",
        "return centre - width / 2, centre + width / 2",
        "return centre, centre + width",
        DICOM,
    ),
    Mutant(
        "places of DICOM taken for those of NIfTI",
        "modalities/dicom_file.py",
        "return np.diag([-1.0, -1, 1, 1]) @ affine",
        "return affine",
        VOLUME,
    ),
    Mutant(
        "rows and columns of a voxel exchanged",
        "modalities/dicom_file.py",
        "along_row * float(spacing[1]), along_column * float(spacing[0])",
        "along_row * float(spacing[0]), along_column * float(spacing[1])",
        VOLUME,
    ),
    Mutant(
        "volumes turned without their places",
        "modalities/volume_file.py",
        "placed = affine @ orientations.inv_ornt_aff(turn, shape)",
        "placed = affine",
        VOLUME,
    ),
    Mutant(
        "a grid beside the middle of the volumes",
        "modalities/volume_value.py",
        "[(n - 1) / 2 for n in shape[::-1]]",
        "[n / 2 for n in shape[::-1]]",
        VOLUME,
    ),
    Mutant(
        "voxels counted instead of mm",
        "modalities/volume_grid.py",
        'scale = volume.spacing / spec["spacing"]',
        "scale = volume.spacing / volume.spacing",
        VOLUME,
    ),
    Mutant(
        "a belief that forgets how common the disease is",
        "world/clinic/bayes.py",
        "joint = PRIOR.copy()",
        "joint = np.ones_like(PRIOR)",
        CLINIC,
    ),
    Mutant(
        "ties that count whole in the best AUROC",
        "world/clinic/bayes.py",
        "(below + low / 2)",
        "(below + low)",
        CLINIC,
    ),
    Mutant(
        "a parity that is none",
        "world/clinic/patient.py",
        'return p if state[part] != state["disease"] else 1 - p',
        "return p if state[part] else 1 - p",
        CLINIC,
    ),
)
